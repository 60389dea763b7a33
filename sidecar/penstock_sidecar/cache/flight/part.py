"""A request's part in a flight: what it is told, and what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.model import FlightResult


@dataclass(frozen=True, slots=True)
class Fence:
    """An answer is kept only while its leader's number is the latest of the flight at `key`."""

    key: str
    number: int


End = Literal["refused", "failed", "unkept"]
"""How a leader ends who keeps nothing. Refused: the next one may do better. Failed: so may he, but
not often in a row. Unkept: nobody's answer would be kept."""


def _nothing() -> None:
    return None


@dataclass(slots=True)
class Flight:
    """A follower has a hit; who leads among all sidecars has a fence; who goes alone, or leads this
    sidecar alone while Redis is away, has neither."""

    result: FlightResult = ""
    hit: Hit | None = None
    fence: Fence | None = None
    waited_seconds: float = 0
    kept: bool = False
    """Said by the leader: a lookup finds the answer. Who keeps it behind a fence has ended the
    flight in Redis, or Redis is away."""
    foreseen: Callable[[], End | None] = _nothing
    """Asked of the leader: how he will end, if he knows already that his answer is not kept."""
