"""All managed providers of this process, over all its configurations: what routing asks of them.

With none, nothing here is ever called.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal, NamedTuple

from penstock_config.provider import Provider
from penstock_sidecar.clock import Clock
from penstock_sidecar.fleet.changes import Changes
from penstock_sidecar.fleet.fleet import LiveFleet
from penstock_sidecar.fleet.observer import FleetObserver, Unobserved
from penstock_sidecar.fleet.roster import Situation
from penstock_sidecar.fleet.tally import LASTING_SECONDS
from penstock_sidecar.model import Candidate

FRESH_SECONDS: Final = 2.5
"""What was read before that is read again before a request goes by it."""
FIRST_LOOK_SECONDS: Final = 0.05
"""The longest that a request waits for that."""
UNKNOWN_LOAD_SECONDS: Final = 10.0
"""Of a model whose loading time nobody knows: a guess, for a few gigabytes from a disk."""


class Trouble(NamedTuple):
    """Why a candidate is to be asked after all others."""

    kind: Literal["unready", "cold"]
    reason: str
    """For people."""


@dataclass(slots=True, eq=False)
class Watched:
    """A fleet, and when it was last looked at, asked for, and told of. Times are monotonic."""

    fleet: LiveFleet
    looked_at: float = float("-inf")
    used_at: float = float("-inf")
    urgent: bool = False
    look: asyncio.Event | None = None
    """Set when the next look is over; somebody waits for it."""


class Fleets:
    """`wanted` is set when a look should not wait."""

    def __init__(
        self,
        clock: Clock,
        random: Random,
        observer: FleetObserver | None = None,
        *,
        first_look_seconds: float = FIRST_LOOK_SECONDS,
        lasting_seconds: float = LASTING_SECONDS,
    ) -> None:
        self.wanted: Final = asyncio.Event()
        self.clock: Final = clock
        self._random = random
        self._observer = observer or Unobserved()
        self._first_look_seconds = first_look_seconds
        self._lasting_seconds = lasting_seconds
        self._watched: dict[str, Watched] = {}

    def of(self, provider: Provider) -> LiveFleet:
        """The one of this provider, from now on at this address."""
        found = self._watched.get(provider.id)
        if found is None:
            found = self._watched[provider.id] = self._made(provider)
        found.fleet.base_url = provider.base_url
        found.fleet.changes = Changes.of(provider, found.fleet.changes)
        return found.fleet

    def watched(self) -> Iterable[Watched]:
        return self._watched.values()

    async def fresh(self, candidates: Sequence[Candidate]) -> None:
        """Returns when those of them that are managed have been looked at lately; soon in any
        case."""
        stale = [*self._stale(candidates)]
        if not stale:
            return
        self.wanted.set()
        try:
            async with asyncio.timeout(self._first_look_seconds):
                for look in stale:
                    await look.wait()
        except TimeoutError:
            return  # what was known before holds

    def situation(self, candidate: Candidate) -> Situation | None:
        """`None` where it is not known, or the provider is not managed."""
        found = self._of(candidate)
        return found.situation(candidate.model.upstream_name) if found else None

    def in_front(self, candidate: Candidate) -> int | None:
        """Requests of ours that are before the next one; `None` as `situation`."""
        found = self._of(candidate)
        known = found is not None and found.situation(candidate.model.upstream_name) is not None
        return found.in_front(candidate.model.upstream_name) if found and known else None

    def load_seconds(self, candidate: Candidate) -> float:
        """What a request would wait for the model to be loaded; 0 where that is not known."""
        situation = self.situation(candidate)
        if situation is None or situation.loaded:
            return 0.0
        return candidate.model.load_seconds or UNKNOWN_LOAD_SECONDS

    def loaded(self, candidate: Candidate) -> bool:
        situation = self.situation(candidate)
        return situation is not None and situation.loaded > 0

    def cold(self, candidate: Candidate) -> bool:
        """Nobody is there, and that is as it should be."""
        managed = candidate.provider.managed
        situation = self.situation(candidate) if managed and managed.may_be_cold else None
        return situation is not None and not situation.ready

    def trouble(self, candidate: Candidate) -> Trouble | None:
        """Of a fleet that has nobody ready: where others shall serve meanwhile, or where nobody is
        going to start it for us."""
        managed, found = candidate.provider.managed, self._of(candidate)
        if managed is None or found is None:
            return None
        situation = found.situation(candidate.model.upstream_name)
        if situation is None or situation.ready:
            return None
        doing = f": {found.message}" if found.message else ""
        if not managed.may_be_cold:
            return Trouble("unready", f"has no replica that is ready{doing}")
        if managed.on_cold == "Fallback":
            return Trouble("cold", f"sleeps, and is being woken{doing}")
        return None

    def wish(self, candidate: Candidate) -> None:
        """A request would have gone there."""
        if found := self._of(candidate):
            found.wish(candidate.model.upstream_name)

    def message(self, candidate: Candidate) -> str:
        found = self._of(candidate)
        return found.message if found else ""

    def _of(self, candidate: Candidate) -> LiveFleet | None:
        if candidate.provider.managed is None:
            return None
        found = self._watched.get(candidate.provider.id)
        return found.fleet if found else None

    def _stale(self, candidates: Iterable[Candidate]) -> Iterator[asyncio.Event]:
        now = self.clock.monotonic()
        for candidate in candidates:
            found = self._watched.get(candidate.provider.id)
            if found is None or candidate.provider.managed is None:
                continue
            found.used_at = now
            if now - found.looked_at > FRESH_SECONDS:
                found.look = found.look or asyncio.Event()
                yield found.look

    def _made(self, provider: Provider) -> Watched:
        fleet = LiveFleet(
            provider.id,
            provider.base_url,
            self.clock,
            self._random,
            self._observer,
            lasting_seconds=self._lasting_seconds,
        )
        watched = Watched(fleet)

        def urgent() -> None:
            watched.urgent = True
            self.wanted.set()

        fleet.urgent = urgent
        return watched
