"""Two models that do not fit together: a real sidecar, and an Ollama that holds one at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import redis.asyncio

from penstock_config.fleet import Fleet, Replica
from penstock_config.layout import Group
from penstock_config.policy import Target
from penstock_config.provider import Managed, Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from tests.fakes.ollama import FakeOllama, Script
from tests.fakes.ollama.store import Manifest
from tests.planes.fleet import FREE, PATIENCE_SECONDS, PROVIDER
from tests.planes.plane import NAMESPACE, Plane, policy, running_plane
from tests.sidecar.http.edge import Response
from tests.sidecar.redis_store.conftest import until_it

MODELS: Final = ("first:1b", "second:1b")
REQUESTS: Final = 24
MEMORY: Final = {"memory_bytes": 10, "headroom_bytes": 2}
TURNS: Final = Managed(on_demand=True, **MEMORY)


async def test_models_that_take_turns_are_loaded_far_less_often_than_asked_for(
    tmp_path: Path, redis_url: str
) -> None:
    async with ollama(tmp_path) as server, sidecar(tmp_path, redis_url, server) as plane:
        loads = {}
        for managed in (Managed(**MEMORY), TURNS):
            await plane.publish(config(server, managed))
            server.memory.forget()
            server.memory.loads.clear()
            answers = await asyncio.gather(*(ask(plane, n) for n in range(REQUESTS)))
            assert {answer.status for answer in answers} == {200}
            assert {a.headers["x-penstock-replica"] for a in answers} == {"ollama-0"}
            loads[managed] = len(server.memory.loads)
    assert loads[TURNS] <= 4
    assert loads[Managed(**MEMORY)] >= REQUESTS / 3


async def ask(plane: Plane, number: int) -> Response:
    tier = MODELS[number % 2].partition(":")[0]
    return await plane.ask({"model": tier, "messages": [{"role": "user", "content": "Hi"}]})


@asynccontextmanager
async def ollama(folder: Path) -> AsyncIterator[FakeOllama]:
    script = Script(
        folder / "models",
        max_loaded_models=1,
        parallel=2,
        load_seconds=0.02,
        answer_seconds=0.01,
        ps_waits=False,
        waits_for_room=True,
    )
    async with FakeOllama(script) as server:
        for name in MODELS:
            server.store.write(Manifest(name, f"sha256:{name.partition(':')[0]}", 1))
        yield server


@asynccontextmanager
async def sidecar(folder: Path, redis_url: str, server: FakeOllama) -> AsyncIterator[Plane]:
    """That has heard of its replica, and goes on to hear what is in its memory."""
    async with (
        redis.asyncio.Redis.from_url(redis_url) as operator,
        running_plane(folder, redis_url, redis_deadline_seconds=PATIENCE_SECONDS) as plane,
    ):
        await tell(operator, server)
        await plane.publish(config(server, TURNS))

        async def heard() -> bool:
            return "x-penstock-replica" in (await ask(plane, 0)).headers

        await until_it(heard)
        telling = asyncio.create_task(keep_telling(operator, server))
        try:
            yield plane
        finally:
            telling.cancel()
            await asyncio.wait({telling})


async def keep_telling(operator: redis.asyncio.Redis, server: FakeOllama) -> None:
    while True:
        await tell(operator, server)
        await asyncio.sleep(0.02)


async def tell(operator: redis.asyncio.Redis, server: FakeOllama) -> None:
    """As the operator writes it."""
    loaded = tuple(runner.name for runner in await server.memory.runners())
    found = Replica(name="ollama-0", address=server.url, ready=True, models=MODELS, loaded=loaded)
    key = Group.of_namespace("test", NAMESPACE).fleet(PROVIDER)
    await operator.set(key, Fleet(at=0, replicas=(found,), wanted=1).model_dump_json())


def config(server: FakeOllama, managed: Managed) -> SidecarConfig:
    """A tier for each model, which fits into memory alone."""
    names = [name.partition(":")[0] for name in MODELS]
    models = tuple(
        Model(
            name=short,
            upstream_name=name,
            capabilities=("chat",),
            price=FREE,
            parallel=2,
            vram_bytes=8,
            load_seconds=1,
        )
        for short, name in zip(names, MODELS, strict=True)
    )
    provider = Provider(
        id=PROVIDER,
        type="ollama",
        base_url=server.url,
        needs_key=False,
        models=models,
        managed=managed,
    )
    tiers = tuple(
        Tier(
            id=f"{NAMESPACE}/{name}",
            name=name,
            candidates=(Candidate(provider=PROVIDER, model=name),),
        )
        for name in names
    )
    ids = tuple(tier.id for tier in tiers)
    ruling = policy(tiers=ids, default=Target(tier=ids[0]))
    return SidecarConfig(
        cluster="test",
        namespace=NAMESPACE,
        providers=(provider,),
        tiers=tiers,
        policies=(ruling,),
    )
