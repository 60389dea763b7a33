"""The subject: one sidecar on a core of its own, with nothing switched on or with everything."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import SecretStr

from bench.process import Server, free_port, running
from penstock_config.budget import Amounts, Budget
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Cache, CallerLimit, ExactCache, Policy, Target
from penstock_config.provider import Model, Price, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier

PROVIDER, TIER, MODEL = "bench/static", "bench/fast", "bench-model"
PLENTY = 1_000_000_000
"""A limit that is kept book of and never reached."""
BOOKED = RateLimits(requests_per_minute=PLENTY, tokens_per_minute=PLENTY)


def configuration(upstream: Server, *, everything: bool) -> SidecarConfig:
    """With `everything`: five limits, a budget and the exact cache."""
    provider_limits = (
        RateLimits(requests_per_minute=PLENTY, concurrent_requests=PLENTY)
        if everything
        else RateLimits()
    )
    caller = CallerLimit(
        name="app", per="App", limits=BOOKED.model_copy(update={"concurrent_requests": PLENTY})
    )
    model = Model(
        name=MODEL,
        upstream_name=MODEL,
        capabilities=("chat", "tools"),
        price=Price(input_token=150_000, output_token=600_000),
    )
    provider = Provider(
        id=PROVIDER,
        type="openai",
        base_url=f"http://127.0.0.1:{upstream.port}/v1",
        needs_key=False,
        models=(model,),
        limits=provider_limits,
    )
    policy = Policy(
        id="bench/everybody",
        default=Target(tier=TIER),
        tiers=(TIER,),
        limits=(caller,) if everything else (),
        cache=Cache(exact=ExactCache()) if everything else Cache(),
    )
    budget = Budget(id="bench/month", limits=Amounts(daily=PLENTY, monthly=PLENTY))
    return SidecarConfig(
        cluster="bench",
        namespace="bench",
        providers=(provider,),
        tiers=(
            Tier(id=TIER, name="fast", candidates=(Candidate(provider=PROVIDER, model=MODEL),)),
        ),
        policies=(policy,),
        budgets=(budget,) if everything else (),
    )


@contextlib.asynccontextmanager
async def sidecar(
    folder: Path, config: SidecarConfig, redis: Server | None, core: int | None
) -> AsyncIterator[Server]:
    """A sidecar process that serves `config`."""
    _write(folder, config, redis)
    port = free_port()
    environment = {
        "PENSTOCK_CONFIG_DIR": str(folder),
        "PENSTOCK_CREDENTIALS_DIR": str(folder),
        "PENSTOCK_POD_INFO_DIR": str(folder),
        "PENSTOCK_NAMESPACE": "bench",
        "PENSTOCK_POD_NAME": "bench",
        "PENSTOCK_PORT": str(port),
        "PENSTOCK_PROBE_HOST": "127.0.0.1",
        "PENSTOCK_PROBE_PORT": str(free_port()),
        "PENSTOCK_ADMIN_PORT": str(free_port()),
        "PENSTOCK_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "penstock_sidecar"]
    async with running(command, port, core=core, env=environment) as server:
        yield server


def _write(folder: Path, config: SidecarConfig, redis: Server | None) -> None:
    credentials = Credentials(
        scope_key=SecretStr("bench"),
        redis=RedisAccess(url=f"redis://127.0.0.1:{redis.port}") if redis else None,
    )
    folder.mkdir()
    (folder / config_file_name()).write_bytes(encode(config))
    (folder / credentials_file_name()).write_bytes(encode(credentials))
