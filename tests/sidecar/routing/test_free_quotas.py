"""MostHeadroom over real Redis: no free quota is used up while another is hardly touched."""

import asyncio
from random import Random

import pytest

from penstock_config.credentials import RedisAccess
from penstock_config.policy import Policy
from penstock_config.provider import Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate as TierCandidate
from penstock_config.tier import Tier
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import UpstreamLimited
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.redis_store import connect
from penstock_sidecar.routing.router import Router
from tests.sidecar.limits import world

QUOTAS = {"groq": 40, "gemini": 100, "mistral": 250, "hub": 500}
"""Requests a day that each gives away."""
TOTAL = sum(QUOTAS.values())
SIDECARS = 4
AT_ONCE = 3
"""Requests of each sidecar."""
MUCH = 0.2


def _provider(name: str, quota: int) -> Provider:
    return world.provider(id=f"shop/{name}", limits=RateLimits(requests_per_day=quota))


PROVIDERS = tuple(_provider(name, quota) for name, quota in QUOTAS.items())
TIER = Tier(
    id="shop/free",
    name="free",
    candidates=tuple(TierCandidate(provider=p.id, model="small") for p in PROVIDERS),
    strategy="MostHeadroom",
)
POLICY = Policy(id="shop/all", tiers=(TIER.id,))
CONFIG = SidecarConfig(
    cluster="test", namespace="shop", providers=PROVIDERS, tiers=(TIER,), policies=(POLICY,)
)


class Sidecar:
    """What one of them knows, and whom it asked."""

    def __init__(self, limiter: Limiter, seed: int, served: dict[str, int]) -> None:
        self.limiter = limiter
        self.refused = 0
        self._router = Router(CONFIG, POLICY, Random(seed), SystemClock(), room=limiter.room)
        self._served = served

    async def serve(self) -> None:
        request = world.request(model="free")
        route = self._router.route(request, world.CALLER, 10)
        for chosen in self._router.order(route, request, 10).candidates:
            try:
                await world.serve(self.limiter, chosen)
            except UpstreamLimited:
                self.refused += 1
            else:
                self._served[chosen.provider.id.partition("/")[2]] += 1
                return
        pytest.fail("nobody served, though there was room")

    async def close(self) -> None:
        await self.limiter.close()


def shares_left(served: dict[str, int]) -> dict[str, float]:
    return {name: 1 - served[name] / quota for name, quota in QUOTAS.items()}


@pytest.mark.parametrize("seed", [1, 2])
async def test_free_quotas_shrink_in_step_over_several_sidecars(redis_url: str, seed: int) -> None:
    served = dict.fromkeys(QUOTAS, 0)
    stores = [
        await connect(RedisAccess(url=redis_url), deadline_seconds=5) for _ in range(SIDECARS)
    ]
    sidecars = [
        Sidecar(world.limiter(CONFIG, store), seed * 10 + number, served)
        for number, store in enumerate(stores)
    ]
    random = Random(seed)
    try:
        while sum(served.values()) < TOTAL * 0.95:
            some = random.sample(sidecars, random.randint(1, SIDECARS))
            await asyncio.gather(*(each.serve() for each in some for _ in range(AT_ONCE)))
            left = shares_left(served)
            if min(left.values()) <= 0:
                assert max(left.values()) <= MUCH, left
            assert max(left.values()) - min(left.values()) <= MUCH, left
    finally:
        await asyncio.gather(*(each.close() for each in sidecars))
        await asyncio.gather(*(store.close() for store in stores))
    assert sum(each.refused for each in sidecars) <= TOTAL * 0.01
