"""Which replica answers: pure.

Those that fail are left alone while others are there. Of the rest one that has the model loaded
goes first, then the least busy one. Equal ones are drawn, so that sidecars do not all run to one.
What other sidecars have there is some seconds old: where it counts, two are drawn and the better is
taken, or all would run to whoever was idle then (Mitzenmacher, "How Useful Is Old Information?",
2000).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

LATEST: Final = ":latest"
DRAWN: Final = 2


@dataclass(frozen=True, slots=True)
class Standing:
    """A ready replica that has the model on its disk, as this sidecar sees it."""

    name: str
    loaded: bool
    """The model is in its memory."""
    in_flight: int
    """Requests of ours for this model."""
    under_way: int
    """Requests of ours for any."""
    others: int = 0
    """Requests that other sidecars had there lately."""
    failing: bool = False
    """A connection to it failed a moment ago."""
    admits: bool = True
    """Where models take turns: whether it is this one's there."""


def choose(standings: Iterable[Standing], parallel: int | None, random: Random) -> str | None:
    """Its name; `None` while each has as many requests as it answers at once."""
    free = [
        each
        for each in sound(standings)
        if each.admits and (parallel is None or each.in_flight < parallel)
    ]
    if not free:
        return None

    best = [each for each in free if each.loaded] or free
    if any(each.others for each in best):
        best = random.sample(best, min(len(best), DRAWN))

    def load(each: Standing) -> tuple[int, int, float]:
        return each.in_flight + each.others, each.under_way, random.random()

    return min(best, key=load).name


def sound(standings: Iterable[Standing]) -> list[Standing]:
    """Those that do not fail, or all where all do."""
    known = [*standings]
    return [each for each in known if not each.failing] or known


def canonical(model: str) -> str:
    """Ollama takes `llama3.2` for `llama3.2:latest`."""
    return model if ":" in model.rpartition("/")[2] else model + LATEST
