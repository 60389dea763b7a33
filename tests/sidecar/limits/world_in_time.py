"""The public limiter under a clock that tests own."""

from contextlib import AsyncExitStack
from typing import Any

import redis

from penstock_config.schema import SidecarConfig
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.model import Caller, Candidate
from tests.sidecar.limits import world
from tests.sidecar.limits.virtual import VirtualStore
from tests.sidecar.limits.world import CountingStore

SECOND = 1_000_000


class InTime:
    """Sidecars on one Redis; time passes when a test says so. Closes them at the end."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.clock = VirtualStore(self.client)
        self.store = CountingStore(self.clock)
        self.open = AsyncExitStack()
        self._limiters: list[Limiter] = []

    async def __aenter__(self) -> "InTime":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.open.aclose()
        for limiter in self._limiters:
            await limiter.close()
        self.client.close()

    def limiter(self, settings: SidecarConfig, **options: Any) -> Limiter:
        options.setdefault("memory", world.memory(self.clock))
        limiter = world.limiter(settings, self.store, **options)
        self._limiters.append(limiter)
        return limiter

    def passes(self, microseconds: int) -> None:
        self.clock.now_us += microseconds

    async def begin(
        self,
        limiter: Limiter,
        of: Candidate | None = None,
        caller: Caller = world.CALLER,
        **request: Any,
    ) -> SidecarError | None:
        """Admit a request that stays in flight; returns why it was refused."""
        try:
            await self.open.enter_async_context(world.serving(limiter, of, caller, **request))
        except SidecarError as error:
            return error
        return None

    async def end_all(self) -> None:
        """What is in flight is answered, and Redis has heard of it."""
        await self.open.aclose()
        for limiter in self._limiters:
            await limiter.settled()

    async def served(
        self,
        limiter: Limiter,
        of: Candidate | None = None,
        caller: Caller = world.CALLER,
        **request: Any,
    ) -> SidecarError | None:
        """A whole request; returns why it was refused."""
        try:
            await world.serve(limiter, of, caller, **request)
        except SidecarError as error:
            return error
        await limiter.settled()
        return None
