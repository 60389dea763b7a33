"""How much GPU memory models take together, and when Ollama loads them wholly onto a GPU.

Ollama loads a model wholly only when its need is within 80 % of what is free on the GPU at that
moment (`llm.PredictServerVRAM` and its callers); what does not fit goes to the CPU in part, or
pushes another model out. So beside what models hold, it matters what has to be free while they
are loaded: least of all when the largest is loaded first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_operator.ollama.planner.types import Need

LOAD_PERCENT: Final = 80
"""Of what is free on a GPU, what Ollama lets a model need that it loads there."""
LOADED_GAIN: Final = 1.5
"""How much more demand another set of loaded models must have to take the place of what is."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a pod takes of each of its GPUs."""

    held_mib: int
    """When all that is to be loaded is loaded."""
    clear_mib: int
    """What has to be free before, for Ollama to load all of it."""

    def fits(self, clear_mib: int, headroom_mib: int) -> bool:
        """Whether a GPU has room of which `clear_mib` is held by nobody."""
        return self.clear_mib <= clear_mib and self.held_mib + headroom_mib <= clear_mib


def share_mib(need: Need, gpus: int) -> int:
    """What a model takes of each of `gpus` GPUs that it is spread over evenly."""
    return -(-need.total_mib(gpus) // gpus)


def load_order(needs: Iterable[Need], gpus: int) -> tuple[Need, ...]:
    """The order in which they are to be loaded: largest first."""
    return tuple(sorted(needs, key=lambda need: (-share_mib(need, gpus), need.model)))


def together(needs: Iterable[Need], gpus: int) -> Room:
    """Room for all of them at once."""
    held = clear = 0
    for need in load_order(needs, gpus):
        share = share_mib(need, gpus)
        clear = max(clear, held + _to_be_free(share))
        held += share
    return Room(held, clear)


def by_turns(needs: Sequence[Need], gpus: int) -> Room:
    """Room for any one of them."""
    largest = max(share_mib(need, gpus) for need in needs)
    return Room(largest, _to_be_free(largest))


def most_together(needs: Iterable[Need], gpus: int, clear_mib: int, headroom_mib: int) -> int:
    """How many fit together at most: of the smallest."""
    smallest_first = load_order(needs, gpus)[::-1]
    counts = range(len(smallest_first), 0, -1)
    rooms = ((count, together(smallest_first[:count], gpus)) for count in counts)
    return next((count for count, room in rooms if room.fits(clear_mib, headroom_mib)), 0)


def _to_be_free(mib: int) -> int:
    return -(-mib * 100 // LOAD_PERCENT)


def most_asked_for(needs: Iterable[Need], gpus: int) -> tuple[Need, ...]:
    """By demand, and the smaller first of equals."""
    return tuple(sorted(needs, key=lambda n: (-n.demand, n.total_mib(gpus), n.model)))
