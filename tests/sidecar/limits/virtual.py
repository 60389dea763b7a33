"""The scripts under a clock that tests own.

`ledger.lua` asks Redis for the time in one place; here that place reads a key instead, and nothing
else of the text changes. Calls are synchronous: no loop, so that hypothesis can drive them.
"""

import hashlib
from collections.abc import Coroutine
from typing import Any, TypeVar

import redis

from penstock_sidecar.store import Argument, Script

CLOCK_KEY = "virtual:now"
REAL_CLOCK = """    local time = call('TIME')
    return time[1] * 1e6 + time[2]
"""
VIRTUAL_CLOCK = f"    return tonumber(call('GET', '{CLOCK_KEY}'))\n"
START_US = 1_795_220_260_123_457
T = TypeVar("T")


class VirtualStore:
    """A `Store` over a plain client, and a `Clock`: both go by `now_us`."""

    def __init__(self, client: "redis.Redis", mutate: tuple[str, str] | None = None) -> None:
        self._client = client
        self._mutate = mutate
        self._now_us = 0
        self.now_us = START_US
        self.sidecar_skew_seconds = 0.0

    @property
    def now_us(self) -> int:
        return self._now_us

    @now_us.setter
    def now_us(self, value: int) -> None:
        self._now_us = value
        self._client.set(CLOCK_KEY, value)

    def utc(self) -> float:
        return self._now_us / 1_000_000 + self.sidecar_skew_seconds

    def monotonic(self) -> float:
        return self.utc()

    async def command(self, *arguments: Argument) -> object:
        raise NotImplementedError

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        text = self._changed(script.text)
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        try:
            return self._client.evalsha(sha, len(keys), *keys, *arguments)
        except redis.exceptions.NoScriptError:
            return self._client.eval(text, len(keys), *keys, *arguments)

    def _changed(self, text: str) -> str:
        assert REAL_CLOCK in text
        text = text.replace(REAL_CLOCK, VIRTUAL_CLOCK)
        return text.replace(*self._mutate) if self._mutate else text


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    msg = "it waits for something"
    raise AssertionError(msg)
