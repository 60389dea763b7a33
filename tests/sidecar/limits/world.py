"""A small namespace to limit: one provider, one model, one policy."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from penstock_config.budget import Amounts, Budget
from penstock_config.policy import CallerLimit, Policy
from penstock_config.provider import Model, Price, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate as TierCandidate
from penstock_config.tier import Tier
from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.limits.attempt import NO_BOUND, Most
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.limiter import Attempt, Limiter
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.model import Caller, Candidate, Chunk, Pod, Request, Usage
from penstock_sidecar.store import Argument, Script, Store, StoreUnavailable

CALLER = Caller(namespace="shop", app="web", pod="web-1", user="ann")
POD = Pod("shop", "web-1", "web", {"app": "web"})
PRICE = Price(input_token=1_000_000, output_token=2_000_000)
"""One micro-dollar a token in, two out."""
SCOPE_KEY = b"k" * 32
DONE = Chunk(b"", content=True, text_bytes=9, usage=Usage(7, 5), end=True)
"""A whole answer."""


def provider(**changes: Any) -> Provider:
    """Without limits, unless they are given."""
    model = Model(
        name="small",
        upstream_name="small",
        capabilities=("chat",),
        max_output_tokens=changes.pop("max_output_tokens", 1000),
        price=changes.pop("price", PRICE),
        limits=changes.pop("model_limits", RateLimits()),
    )
    defaults: dict[str, Any] = {
        "id": "shop/cloud",
        "type": "openai",
        "base_url": "https://cloud.example",
        "needs_key": False,
        "models": (model,),
    }
    return Provider(**{**defaults, **changes})


def per_app(limits: RateLimits, **changes: Any) -> CallerLimit:
    defaults: dict[str, Any] = {"name": "per-app", "per": "App", "limits": limits}
    return CallerLimit(**{**defaults, **changes})


def budget(**changes: Any) -> Budget:
    defaults: dict[str, Any] = {"id": "shop/team", "limits": Amounts(daily=10_000)}
    return Budget(**{**defaults, **changes})


def config(
    providers: tuple[Provider, ...] = (),
    limits: tuple[CallerLimit, ...] = (),
    budgets: tuple[Budget, ...] = (),
    **policy: Any,
) -> SidecarConfig:
    providers = providers or (provider(),)
    tier = Tier(
        id="shop/fast",
        name="fast",
        candidates=tuple(TierCandidate(provider=p.id, model="small") for p in providers),
    )
    slow = tier.model_copy(update={"id": "shop/slow", "name": "slow"})
    return SidecarConfig(
        cluster="test",
        namespace="shop",
        providers=providers,
        tiers=(tier, slow),
        policies=(Policy(id="shop/all", tiers=(tier.id, slow.id), limits=limits, **policy),),
        budgets=budgets,
    )


def candidate(of: Provider | None = None) -> Candidate:
    found = of or provider()
    return Candidate(found, found.models[0], "fast", "shop/fast")


def limiter(settings: SidecarConfig, store: Store | None, **options: Any) -> Limiter:
    policy = settings.policies[0]
    return Limiter(
        settings, policy, POD, store, SCOPE_KEY, options.pop("memory", memory()), **options
    )


def memory(clock: Clock | None = None) -> Memory:
    """Of a new process."""
    clock = clock or SystemClock()
    return Memory(clock, Shares(clock), Journal.open(None))


def request(size: int = 30, **changes: Any) -> Request:
    """A request of `size` bytes: a third as many tokens for rates, as many for money."""
    defaults: dict[str, Any] = {
        "call_id": "call",
        "model": "fast",
        "stream": False,
        "usage_wanted": False,
        "body": b"x" * size,
        "document": {},
        "headers": {},
        "max_output_tokens": 10,
    }
    return Request(**{**defaults, **changes})


@asynccontextmanager
async def serving(
    limiter: Limiter,
    of: Candidate | None = None,
    caller: Caller = CALLER,
    most: Most = NO_BOUND,
    **changes: Any,
) -> AsyncIterator[Attempt]:
    """A request that was admitted, and is answered when this ends."""
    async with limiter.ticket(caller, request(**changes)) as ticket:
        ticket.most = most
        async with ticket.attempt(of or candidate()) as attempt:
            attempt.sent()
            yield attempt
            attempt.saw(DONE)


async def serve(
    limiter: Limiter, of: Candidate | None = None, caller: Caller = CALLER, **changes: Any
) -> Attempt:
    """One request, from its beginning to its end."""
    async with serving(limiter, of, caller, **changes) as attempt:
        return attempt


def user(name: str) -> Caller:
    """Another user of the same app."""
    return Caller(CALLER.namespace, CALLER.app, CALLER.pod, name)


class Switched:
    """A store that is there, or not."""

    def __init__(self, store: Store, *, sent: bool = False) -> None:
        """`sent`: while it is away nobody knows whether it has heard."""
        self._store = store
        self._sent = sent
        self.away = False

    async def command(self, *arguments: Argument) -> object:
        return await self._store.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        if self.away:
            raise StoreUnavailable("away", sent=self._sent)
        return await self._store.script(script, keys, arguments)


class CountingStore:
    """Counts what a store is asked, by the script's name."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asked = asyncio.Condition()
        self.calls: Counter[str] = Counter()

    async def command(self, *arguments: Argument) -> object:
        return await self._store.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        try:
            return await self._store.script(script, keys, arguments)
        finally:
            self.calls[script.name] += 1
            async with self._asked:
                self._asked.notify_all()

    async def answered(self, name: str, times: int) -> None:
        """Returns when a script was answered so often."""
        async with self._asked:
            await self._asked.wait_for(lambda: self.calls[name] >= times)
