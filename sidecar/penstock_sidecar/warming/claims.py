"""Prompts that wait in a policy's stream, each claimed by one of its sidecars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.store import Store
from penstock_sidecar.warming.scripts import CLAIM

GROUP: Final = "sidecars"
IDLE_MS: Final = 300_000
"""Longer than a prompt is asked for: who has not finished by then is gone."""
GIVEN_UP_MS: Final = 3_600_000
"""A prompt that nobody could finish in this time, for limits or for a fault, is not tried again."""


@dataclass(frozen=True, slots=True, repr=False)
class Claimed:
    """An entry of the stream."""

    id: bytes
    fields: Mapping[bytes, bytes]


class Claims:
    """Of one sidecar, which calls itself `consumer`. Raises `StoreUnavailable`."""

    def __init__(self, store: Store, stream: str, consumer: str, idle_ms: int = IDLE_MS) -> None:
        self._store = store
        self._stream = stream
        self._consumer = consumer
        self._idle_ms = idle_ms

    async def take(self, most: int) -> Sequence[Claimed]:
        """At most so many; they stay this sidecar's until `done`, or for `idle_ms`."""
        told = (GROUP, self._consumer, most, self._idle_ms, GIVEN_UP_MS)
        match await self._store.script(CLAIM, (self._stream,), told):
            case list() as entries:
                return [claimed for entry in entries if (claimed := _claimed(entry))]
            case _:
                return []

    async def done(self, claimed: Claimed) -> None:
        """It is to be asked no more."""
        await self._store.command("XACK", self._stream, GROUP, claimed.id)


def _claimed(entry: object) -> Claimed | None:
    match entry:
        case [bytes() as id_, [*words]]:
            known = [word for word in words if isinstance(word, bytes)]
            return Claimed(id_, dict(zip(known[::2], known[1::2], strict=False)))
        case _:
            return None
