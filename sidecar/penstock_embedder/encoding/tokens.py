"""Texts into the numbers of their tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.encoding.encoder import Reading
from penstock_embedder.encoding.files import TOKENISER

PAD: Final = 0


class Tokeniser:
    """A model's own, neither cutting nor padding. The shipped file cuts at 128, unseen."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / TOKENISER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [tuple(each.ids) for each in self._tokenizer.encode_batch(list(texts))]


def padded(readings: Sequence[Reading]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token numbers and mask, each (texts, longest)."""
    longest = max(map(len, readings))
    ids = np.full((len(readings), longest), PAD, np.int64)
    mask = np.zeros_like(ids)
    for row, reading in enumerate(readings):
        ids[row, : len(reading)] = reading
        mask[row, : len(reading)] = 1
    return ids, mask
