"""A fleet that a test writes of, and requests that want seats there."""

import asyncio
import math
from dataclasses import dataclass, field
from random import Random

from penstock_config.fleet import Fleet, Replica
from penstock_config.provider import Managed, Model, Provider
from penstock_sidecar.fleet.fleet import LiveFleet, Seat, Wanted
from penstock_sidecar.fleet.observer import Kind
from penstock_sidecar.model import Candidate
from tests.sidecar.routing.builders import ManualClock

LLAMA = "llama3.1:8b"
SERVICE = "http://ollama.team.svc:11434"


@dataclass(slots=True)
class Heard:
    """A `FleetObserver` that remembers."""

    ready: list[int] = field(default_factory=list)
    starts: int = 0
    taken: list[Kind] = field(default_factory=list)

    def replicas_ready(self, provider: str, count: int) -> None:  # noqa: ARG002  # a `FleetObserver`'s
        self.ready.append(count)

    def fleet_started(self, provider: str) -> None:  # noqa: ARG002  # a `FleetObserver`'s
        self.starts += 1

    def replica_taken(self, provider: str, kind: Kind, waited_seconds: float) -> None:  # noqa: ARG002  # a `FleetObserver`'s
        self.taken.append(kind)


def replica(
    name: str, *models: str, loaded: tuple[str, ...] = (), ready: bool = True, address: str = ""
) -> Replica:
    """`name` ends in its number."""
    return Replica(
        name=name,
        address=address or f"http://10.0.0.{name[-1]}:11434",
        ready=ready,
        models=models or (LLAMA,),
        loaded=loaded,
    )


def fleet_of(*replicas: Replica, message: str = "") -> Fleet:
    return Fleet(at=0, replicas=replicas, message=message)


def candidate(managed: Managed | None = None, **model: object) -> Candidate:
    found = Model.model_validate(
        {"name": "llama", "upstream_name": LLAMA, "capabilities": ("chat",), **model}
    )
    provider = Provider(
        id="team/ollama",
        type="ollama",
        base_url=SERVICE,
        needs_key=False,
        models=(found,),
        managed=managed or Managed(),
    )
    return Candidate(provider, found, "fast", "team/fast")


def wanted(parallel: int | None = 1, model: str = LLAMA) -> Wanted:
    return Wanted(f"team/ollama/{model}", model, parallel, 7.0)


def live(clock: ManualClock | None = None, observer: Heard | None = None) -> LiveFleet:
    return LiveFleet("team/ollama", SERVICE, clock or ManualClock(), Random(1), observer or Heard())


class Callers:
    """Requests, each a task that wants a seat and keeps it until told."""

    def __init__(self, fleet: LiveFleet) -> None:
        self.fleet = fleet
        self.seats: dict[int, Seat] = {}
        """Of those who have one, in the order in which they got it."""
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self._leave: dict[int, asyncio.Event] = {}

    async def come(self, who: int, want: Wanted | None = None, until: float = math.inf) -> None:
        self._leave[who] = asyncio.Event()
        self.tasks[who] = asyncio.create_task(self._stay(who, want or wanted(), until))
        await settle()

    async def go(self, who: int) -> None:
        """Served."""
        self._leave[who].set()
        await asyncio.wait({self.tasks.pop(who)})
        await settle()

    async def cancel(self, who: int) -> None:
        """Wherever he is."""
        task = self.tasks.pop(who)
        task.cancel()
        await asyncio.wait({task})
        await settle()

    async def _stay(self, who: int, want: Wanted, until: float) -> None:
        seat = await self.fleet.seat(want, until)
        assert seat
        self.seats[who] = seat
        try:
            await self._leave[who].wait()
        finally:
            del self.seats[who]
            seat.release()


async def settle() -> None:
    """Whoever can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)
