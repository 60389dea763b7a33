"""Which replica answers: pure.

Those that fail are left alone while others are there. Of the rest one that has the model loaded
goes first, then the least busy one. Equal ones are drawn, so that sidecars do not all run to one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

LATEST = ":latest"


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
    failing: bool = False
    """A connection to it failed a moment ago."""


def choose(standings: Iterable[Standing], parallel: int | None, random: Random) -> str | None:
    """Its name; `None` while each has as many requests as it answers at once."""
    known = [*standings]
    sound = [each for each in known if not each.failing] or known
    free = [each for each in sound if parallel is None or each.in_flight < parallel]
    if not free:
        return None

    def load(each: Standing) -> tuple[bool, int, int, float]:
        return not each.loaded, each.in_flight, each.under_way, random.random()

    return min(free, key=load).name


def canonical(model: str) -> str:
    """Ollama takes `llama3.2` for `llama3.2:latest`."""
    return model if ":" in model.rpartition("/")[2] else model + LATEST
