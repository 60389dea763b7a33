"""Tells Redis every few seconds what this sidecar runs, so that the operator can count it.

One command by the connection that is there anyway, from a task of its own: no request waits for it.
Without a configuration no Redis is known, and nothing is told.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_config.heartbeat import (
    BEAT_SECONDS,
    EXPIRY_SECONDS,
    Heartbeat,
    encode_heartbeat,
)
from penstock_sidecar.store import Store, StoreUnavailable

RETRY_SECONDS: Final = 1.0
"""Until it is said again where Redis did not hear it."""
JITTER: Final = 0.1


@dataclass(frozen=True, slots=True)
class Word:
    """What is to be said, and where."""

    store: Store
    key: str
    heartbeat: Heartbeat


class Heart:
    """`word` gives what to say now, or `None` while nobody could hear it."""

    def __init__(self, word: Callable[[], Word | None]) -> None:
        self._word = word
        self._random = Random()  # noqa: S311  # spreads beats, guards nothing
        self._wanted = asyncio.Event()

    def configuration_loaded(self, config_digest: str, credentials_digest: str) -> None:  # noqa: ARG002  # a `ReloadListener`'s
        """It is said at once."""
        self._wanted.set()

    def configuration_rejected(self) -> None:
        """It is said at once."""
        self._wanted.set()

    async def run(self) -> None:
        """Never ends. A Redis that is away is told of elsewhere: here nothing is logged."""
        while True:
            self._wanted.clear()
            said = await self._beat()
            pause = BEAT_SECONDS if said else RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * self._random.uniform(1 - JITTER, 1)):
                    await self._wanted.wait()

    async def _beat(self) -> bool:
        """False where it must be said again soon."""
        word = self._word()
        if word is None:
            return True
        text = encode_heartbeat(word.heartbeat)
        try:
            await word.store.command("SET", word.key, text, "EX", EXPIRY_SECONDS)
        except StoreUnavailable:
            return False
        return True
