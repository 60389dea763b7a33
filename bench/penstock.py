"""The subject: one sidecar on a core of its own, with nothing on, limits, or everything."""

import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from bench.process import Server, free_port, running
from penstock_config.budget import Amounts, Budget
from penstock_config.cache import Cache, ExactCache, NormalisedCache
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import CallerLimit, Policy, Target
from penstock_config.provider import Model, Price, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier

PROVIDER, TIER, MODEL = "bench/static", "bench/fast", "bench-model"
PLENTY = 1_000_000_000
"""A limit that is kept book of and never reached."""
WINDOW_SECONDS = 6.0
"""Ten times as short as a minute's, with as many buckets: all of them are there after six seconds,
as after a minute of traffic. An emptier hash would be cheaper than the truth."""
RATES = RateLimits(
    requests_per_minute=PLENTY, tokens_per_minute=PLENTY, window_seconds=WINDOW_SECONDS
)
CALLER_LIMIT = CallerLimit(name="app", per="App", limits=RATES)
BUDGET = Budget(id="bench/day", limits=Amounts(daily=PLENTY))

On = Literal["nothing", "limits", "everything", "both levels"]
"""`limits` are five and a budget: the provider's requests, tokens and slots, the app's requests and
tokens, dollars of a day. `everything` adds the exact cache, `both levels` the normalised one."""
CACHES: Mapping[On, Cache] = {
    "everything": Cache(exact=ExactCache()),
    "both levels": Cache(exact=ExactCache(), normalised=NormalisedCache()),
}


def configuration(upstream_port: int, on: On) -> SidecarConfig:
    """One provider, one tier, one policy; what Redis cannot answer fails, and is counted so."""
    booked = on != "nothing"
    return SidecarConfig(
        cluster="bench",
        namespace="bench",
        providers=(_provider(upstream_port, booked=booked),),
        tiers=(
            Tier(id=TIER, name="fast", candidates=(Candidate(provider=PROVIDER, model=MODEL),)),
        ),
        policies=(
            Policy(
                id="bench/everybody",
                default=Target(tier=TIER),
                tiers=(TIER,),
                limits=(CALLER_LIMIT,) if booked else (),
                cache=CACHES.get(on, Cache()),
                on_redis_loss="Closed",
            ),
        ),
        budgets=(BUDGET,) if booked else (),
    )


def _provider(upstream_port: int, *, booked: bool) -> Provider:
    model = Model(
        name=MODEL,
        upstream_name=MODEL,
        capabilities=("chat", "tools"),
        price=Price(input_token=150_000, output_token=600_000),
    )
    limits = RATES.model_copy(update={"concurrent_requests": PLENTY})
    return Provider(
        id=PROVIDER,
        type="openai",
        base_url=f"http://127.0.0.1:{upstream_port}/v1",
        needs_key=False,
        models=(model,),
        limits=limits if booked else RateLimits(),
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
        "PENSTOCK_MAX_REQUESTS_PER_SECOND": "0",
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
