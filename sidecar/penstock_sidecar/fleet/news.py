"""Hears from Redis which replicas there are, and tells it what is asked of them: once a second.

    requests come ──► GET fleet, once a second, for as long as they come
                  └─► HSET demand, while anything is asked, and once more when nothing is

A fleet that sleeps, and is wanted, is told of at once. No request waits for any of it but the first
one after a pause, and that not for long. Without Redis replicas are reached by their Service.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from penstock_config.fleet import DEMAND_SECONDS, DEMAND_STALE_SECONDS, Demand, decode_fleet
from penstock_config.layout import Group
from penstock_sidecar.fleet.fleets import Fleets, Watched
from penstock_sidecar.store import Store, StoreUnavailable

LOOK_SECONDS: Final = DEMAND_SECONDS
JITTER: Final = 0.1
"""A look may come that much later: sidecars do not all look at once."""
QUIET_SECONDS: Final = 5.0
"""Without a request for so long, nobody looks."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where fleets are told of. `store` of `None`: nowhere."""

    store: Store | None
    cluster: str
    namespace: str
    providers: frozenset[str]
    """The managed ones that can be asked now."""


@dataclass(slots=True)
class _Said:
    """What Redis was told last of a provider, and when."""

    demand: Demand
    at: float


@dataclass(slots=True)
class News:
    """`where` gives the place as it is now, or `None` while there is no configuration. `me` names
    this process."""

    fleets: Fleets
    me: str
    where: Callable[[], Place | None]
    random: Random = field(default_factory=Random)
    _said: dict[str, _Said] = field(default_factory=dict)

    async def run(self) -> None:
        """Never ends. A Redis that is away is told of elsewhere: here nothing is logged."""
        while True:
            self.fleets.wanted.clear()
            try:
                await self._round()
            except Exception:  # heard of by the log; one bad look must not end all later ones
                logger.exception("fleet.failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_seconds()):
                    await self.fleets.wanted.wait()

    async def farewell(self) -> None:
        """Nothing is asked any more."""
        place = self.where()
        if place is None or place.store is None:
            return
        gone = [self._forget(place.store, place.cluster, id_) for id_ in [*self._said]]
        await asyncio.gather(*gone)

    async def _round(self) -> None:
        place = self.where()
        now = self.fleets.clock.monotonic()
        looks = []
        for each in self.fleets.watched():
            if self._due(each, now):
                looks.append(self._look(each, place))
            if place and place.store and self._news(each, now):
                looks.append(self._tell(each, place.store, place.cluster))
        await asyncio.gather(*looks)

    def _due(self, each: Watched, now: float) -> bool:
        """At the most each second; a request that waits for a look has had none for longer."""
        return now - each.looked_at >= LOOK_SECONDS and self._used(each, now)

    def _news(self, each: Watched, now: float) -> bool:
        said = self._said.get(each.fleet.id)
        idle = _idle(each.fleet.demand())
        if said is None:
            return not idle
        if each.urgent:
            return True
        if now - said.at < DEMAND_SECONDS:
            return False
        return not (idle and _idle(said.demand)) or now - said.at > DEMAND_STALE_SECONDS

    async def _look(self, each: Watched, place: Place | None) -> None:
        each.looked_at = self.fleets.clock.monotonic()
        try:
            if place is None or place.store is None or each.fleet.id not in place.providers:
                each.fleet.heard(None)
                return
            key = Group.of_namespace(place.cluster, place.namespace).fleet(each.fleet.id)
            data = await place.store.command("GET", key)
            each.fleet.heard(decode_fleet(data) if isinstance(data, bytes) else None)
        except StoreUnavailable:
            each.fleet.unheard()
        finally:
            if each.look:
                each.look.set()
                each.look = None

    async def _tell(self, each: Watched, store: Store, cluster: str) -> None:
        """Who was silent for long enough is forgotten by all, and takes his word away."""
        now, said = self.fleets.clock.monotonic(), self._said.get(each.fleet.id)
        demand, each.urgent = each.fleet.demand(), False
        if said and _idle(demand) and _idle(said.demand):
            await self._forget(store, cluster, each.fleet.id)
            return
        key = Group.of_provider(cluster, each.fleet.id).demand
        self._said[each.fleet.id] = _Said(demand, now)
        try:
            await store.command("HSET", key, self.me, demand.model_dump_json())
            each.fleet.told(demand)
        except StoreUnavailable:
            each.urgent = bool(demand.waiting)

    async def _forget(self, store: Store, cluster: str, id_: str) -> None:
        self._said.pop(id_, None)
        with contextlib.suppress(StoreUnavailable):  # it is stale by itself soon
            await store.command("HDEL", Group.of_provider(cluster, id_).demand, self.me)

    def _pause_seconds(self) -> float | None:
        """`None`: until somebody comes."""
        now = self.fleets.clock.monotonic()
        active = [each for each in self.fleets.watched() if self._active(each, now)]
        return LOOK_SECONDS * self.random.uniform(1, 1 + JITTER) if active else None

    def _active(self, each: Watched, now: float) -> bool:
        return each.fleet.id in self._said or self._used(each, now)

    def _used(self, each: Watched, now: float) -> bool:
        tally = each.fleet.tally
        asked = now - each.used_at < QUIET_SECONDS
        return asked or bool(tally.in_flight) or bool(tally.waiting)


def _idle(demand: Demand) -> bool:
    return not demand.in_flight and not demand.waiting
