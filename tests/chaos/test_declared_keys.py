"""No script touches a key that its caller did not name: else Cluster and ACLs would refuse it."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis

from penstock_config.budget import Amounts, Boost, Budget, Downgrade
from penstock_config.policy import CallerLimit, Identity
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.limits.scripts import PUBLISH, RENEW, SETTLE
from tests.chaos.house import PLENTY, budget, config, started, write
from tests.chaos.load import Load, load, until
from tests.chaos.meter import Meter
from tests.chaos.script_calls import script_calls
from tests.planes.monitor import Monitor, monitored
from tests.planes.plane import NAMESPACE

APPS = ("shop", "desk")
SOME = 30
"""Good answers, before and after the data is lost."""
KINDS = {
    *("state", "holds", "expiry", "members", "slots", "subject", "subjects", "user", "spenders"),
    *("waiting", "turns"),
}
"""Of keys, in `layout.Group`."""
ALL: dict[str, Any] = {
    "requests_per_minute": 10**6,
    "tokens_per_minute": 10**9,
    "requests_per_day": 10**6,
    "tokens_per_day": 10**9,
    "concurrent_requests": 100,
}


def limits() -> tuple[CallerLimit, ...]:
    """For everybody, of every kind."""
    window, smooth = RateLimits(**ALL), RateLimits(**ALL, pacing="Smooth")
    return (
        CallerLimit(name="app", per="App", limits=window, reserved_percent=10),
        CallerLimit(name="pod", per="Pod", limits=smooth, shadow=True),
        CallerLimit(name="user", per="User", limits=window, on_exceeded="Queue"),
        CallerLimit(name="header", per="Header", header="x-team", limits=smooth),
    )


def budgets() -> tuple[Budget, ...]:
    """Over every period, of every kind."""
    every = Amounts(daily=PLENTY, weekly=PLENTY, monthly=PLENTY, total=PLENTY)
    lower = Downgrade(tier=f"{NAMESPACE}/fast")
    boost = Boost(amount=1, until=10**10)
    own = {"provider_wide": True, "providers": (f"{NAMESPACE}/cloud",)}
    return (
        budget(limits=every, per_user=every),
        budget(id="team/lower", limits=every, on_exceeded="Downgrade", downgrade=lower),
        budget(id="team/warn", limits=every, on_exceeded="Warn", boost=boost),
        budget(id="team/own", limits=every, per_user=every, **own),
    )


def everything(meter: Meter) -> SidecarConfig:
    """Users are more than are told apart, and apps wait for the provider's few slots in turns."""
    few = RateLimits(**{**ALL, "concurrent_requests": 2})
    smooth = RateLimits(**ALL, pacing="Smooth")
    two = Identity(max_subjects=2)
    made = config(meter, limits(), budgets(), few, smooth, identity=two)
    tiers = [tier.model_copy(update={"when_saturated": "Queue"}) for tier in made.tiers]
    return made.model_copy(update={"tiers": tuple(tiers)})


def seen(monitor: Monitor) -> set[str]:
    """Which scripts ran until now."""
    return {call.sha for call in script_calls(monitor.lines())}


async def all_weathers(callers: Load, meter: Meter, monitor: Monitor, redis_url: str) -> None:
    """Refusals, queues, a loss of all data, and requests so long that they are renewed."""
    await callers.more(SOME)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    await callers.more(SOME)
    meter.gate.clear()
    await until(lambda: RENEW.sha in seen(monitor))
    meter.gate.set()
    await callers.more(SOME)


@pytest.mark.slow
async def test_no_script_touches_a_key_that_was_not_declared(
    tmp_path: Path, redis_url: str
) -> None:
    """Each single call, read off MONITOR, with every kind of limit and budget at once."""
    async with AsyncExitStack() as stack:
        meter = await stack.enter_async_context(Meter())
        write(tmp_path, everything(meter), redis_url)
        sidecars = [
            await stack.enter_async_context(started(tmp_path, APP=app, POD_NAME=f"{app}-1"))
            for app in APPS
        ]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        with monitored(redis_url) as monitor:
            async with load(session, [sidecar.url for sidecar in sidecars]) as callers:
                await all_weathers(callers, meter, monitor, redis_url)
    calls = list(script_calls(monitor.lines()))
    assert [call for call in calls if not call.touched <= call.declared] == []
    others = {SETTLE.sha, RENEW.sha, PUBLISH.sha}
    assert {call.sha for call in calls} > others, "and some acquire besides"
    touched = {key for call in calls for key in call.touched}
    assert {key.partition("}:")[2].partition(":")[0] for key in touched} == KINDS
    assert {key.partition(":")[2][0] for key in touched} == {"n", "p"}, "in both kinds of groups"
