"""How near texts are to each other, from 0 to 1. Pure, and without a library: nothing heavy ships.

By their words: cosine of counted character trigrams (G. Salton, "The SMART Retrieval System",
1971, with letters for words: no language needs its own rules). By meaning: cosine of vectors that
a model made.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

GRAM: Final = 3
MAX_CHARACTERS: Final = 16_384
"""Of a text: its beginning says enough."""

Matrix = tuple[tuple[float, ...], ...]
"""Row and column i are text i: symmetric, 1 on the diagonal."""


def lexical(texts: Sequence[str]) -> Matrix:
    grams = [_grams(text) for text in texts]
    norms = [math.sqrt(sum(count * count for count in each.values())) for each in grams]
    return _matrix(len(texts), lambda i, j: _dot(grams[i], grams[j]) / (norms[i] * norms[j]))


def of_vectors(vectors: Sequence[Sequence[float]]) -> Matrix:
    """All of one length. Opposite meanings are 0, as unrelated ones are, and as what has no
    direction is to all."""
    norms = [math.sqrt(sum(value * value for value in each)) for each in vectors]

    def cosine(i: int, j: int) -> float:
        both = norms[i] * norms[j]
        pairs = zip(vectors[i], vectors[j], strict=True)
        return sum(a * b for a, b in pairs) / both if both else 0.0

    return _matrix(len(vectors), cosine)


def support(matrix: Matrix) -> tuple[float, ...]:
    """How near each is to the others, on average; 0 for one that is alone."""
    others = len(matrix) - 1
    return tuple((math.fsum(row) - 1) / others if others else 0.0 for row in matrix)


def _matrix(size: int, near: Callable[[int, int], float]) -> Matrix:
    rows = [[1.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i):
            rows[i][j] = rows[j][i] = min(1.0, max(0.0, near(i, j)))
    return tuple(map(tuple, rows))


def _grams(text: str) -> Mapping[str, int]:
    """White space and case aside; a text of one letter has some too."""
    plain = f" {' '.join(text[:MAX_CHARACTERS].casefold().split())} ".center(GRAM)
    return Counter(plain[at : at + GRAM] for at in range(len(plain) - GRAM + 1))


def _dot(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    small, large = (a, b) if len(a) <= len(b) else (b, a)
    return sum(count * large[gram] for gram, count in small.items() if gram in large)
