"""When a sidecar says that it lives, and what becomes of what Redis does not hear."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from penstock_config.heartbeat import BEAT_SECONDS, EXPIRY_SECONDS, Heartbeat, decode_heartbeat
from penstock_sidecar.heartbeat import RETRY_SECONDS, Heart, Word
from penstock_sidecar.store import Argument, Script, StoreUnavailable

pytestmark = pytest.mark.looptime


@dataclass
class Listener:
    """A store that remembers what it was told, and when."""

    away: bool = False
    heard: list[tuple[float, tuple[Argument, ...]]] = field(default_factory=list)
    tried: int = 0

    async def command(self, *arguments: Argument) -> object:
        self.tried += 1
        if self.away:
            raise StoreUnavailable("away", sent=False)
        self.heard.append((asyncio.get_running_loop().time(), arguments))
        return b"OK"

    async def script(self, script: Script, *_: object) -> object:
        raise AssertionError(script.name)


def beat(error: str = "") -> Heartbeat:
    return Heartbeat(
        config="c", credentials="s", version="1", schema_version=1, error=error, at=0.0
    )


@asynccontextmanager
async def beating(heart: Heart) -> AsyncIterator[None]:
    task = asyncio.create_task(heart.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_it_beats_three_times_in_the_life_of_a_beat() -> None:
    store = Listener()
    async with beating(Heart(lambda: Word(store, "key", beat()))):
        await asyncio.sleep(EXPIRY_SECONDS)
    assert 3 <= len(store.heard) <= 4
    times = [at for at, _ in store.heard]
    assert all(late - early <= BEAT_SECONDS for early, late in pairwise(times))
    verb, key, data, *expiry = store.heard[0][1]
    assert (verb, key, *expiry) == ("SET", "key", "EX", EXPIRY_SECONDS)
    assert isinstance(data, bytes)
    assert decode_heartbeat(data) == beat()


async def test_a_reload_and_a_refusal_are_said_at_once() -> None:
    store = Listener()
    heart = Heart(lambda: Word(store, "key", beat()))
    async with beating(heart):
        await asyncio.sleep(0.1)
        heart.configuration_loaded("c", "s")
        await asyncio.sleep(0.1)
        heart.configuration_rejected()
        await asyncio.sleep(0.1)
    assert len(store.heard) == 3


async def test_a_redis_that_is_away_is_tried_again_soon_without_a_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Listener(away=True)
    async with beating(Heart(lambda: Word(store, "key", beat()))):
        await asyncio.sleep(5 * RETRY_SECONDS)
        store.away = False
        await asyncio.sleep(RETRY_SECONDS)
    assert 5 <= store.tried <= 8
    assert store.heard
    assert caplog.records == []


async def test_while_nobody_can_hear_nothing_is_said() -> None:
    """No configuration, so no Redis."""
    store = Listener()
    words: list[Word | None] = [None]
    heart = Heart(lambda: words[0])
    async with beating(heart):
        await asyncio.sleep(2 * BEAT_SECONDS)
        assert store.tried == 0
        words[0] = Word(store, "key", beat())
        heart.configuration_loaded("c", "s")
        await asyncio.sleep(0.1)
    assert store.tried == 1
