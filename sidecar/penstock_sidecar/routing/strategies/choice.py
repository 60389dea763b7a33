"""Two drawn at random, the better one taken: nearly as good as the best of all, and no herd.

Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
"""

from collections.abc import Callable, Sequence
from random import Random

from penstock_sidecar.model import Candidate

Load = Callable[[Candidate], float]
"""The less, the better."""


def two_choices(candidates: Sequence[Candidate], load: Load, random: Random) -> list[Candidate]:
    """The better of two, then the better of the other and a third, and so on."""
    if len(candidates) < 2:  # noqa: PLR2004  # there is no choice
        return list(candidates)
    drawn = random.sample(candidates, len(candidates))
    ranked: list[Candidate] = []
    held, held_load = drawn[0], load(drawn[0])
    for other in drawn[1:]:
        other_load = load(other)
        if other_load < held_load:
            ranked.append(other)
        else:
            ranked.append(held)
            held, held_load = other, other_load
    ranked.append(held)
    return ranked
