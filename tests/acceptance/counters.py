"""Reads what the fleet's sidecars count in Redis."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from penstock_config.layout import Group
from tests.acceptance.fleet import PATIENCE_SECONDS
from tests.planes.plane import NAMESPACE
from tests.sidecar.limits.books import Books

GROUP = Group.of_namespace("test", NAMESPACE)


class Counters(Books):
    """Of the namespace's callers."""

    def used(self, what: str, window_seconds: int) -> int:
        """Requests (`rpm`) or tokens (`tpm`) in windows of a length that one test alone has."""
        return sum(self.of_each(what, window_seconds))

    def of_each(self, what: str, window_seconds: int) -> list[int]:
        """The same, of every subject that used some."""
        keys = cast("list[bytes]", self.client.keys(GROUP.subject("*")))
        values = (self.client.hget(key.decode(), f"{what}{window_seconds}") for key in keys)
        return [int(cast("bytes", value)) for value in values if value is not None]

    async def until_used(self, amount: int, what: str, window_seconds: int) -> int:
        """The moment when just so much is used, by Redis's clock in microseconds."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                if self.used(what, window_seconds) == amount:
                    return self.now_us()
                await asyncio.sleep(0)


@contextmanager
def counters(redis_url: str) -> Iterator[Counters]:
    found = Counters(redis_url)
    try:
        yield found
    finally:
        found.client.close()
