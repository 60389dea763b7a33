"""A sidecar over an Ollama that the operator runs: three replicas, and what the operator writes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import redis.asyncio

from penstock_cli.stub import StubProvider
from penstock_config.fleet import Demand, Fleet, Replica, decode_demand
from penstock_config.layout import Group
from penstock_config.policy import Overrides, Rule, Target
from penstock_config.provider import Managed, Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from tests.planes.plane import NAMESPACE, Plane, policy, provider, running_plane
from tests.sidecar.http.edge import Response, connection, exchange, post
from tests.sidecar.redis_store.conftest import until_it

PROVIDER: Final = f"{NAMESPACE}/ollama"
LLAMA: Final = "llama3.1:8b"
PATIENCE_SECONDS: Final = 5.0
"""For Redis: a machine that runs tests is busy."""
AWAKE: Final = Managed()
FREE: Final = Price(input_token=0, output_token=0)


def llama(**changes: Any) -> Model:
    fields: dict[str, Any] = {
        "name": "llama",
        "upstream_name": LLAMA,
        "capabilities": ("chat", "tools", "embeddings"),
        "price": FREE,
        "parallel": 2,
        "load_seconds": 7,
        **changes,
    }
    return Model(**fields)


@dataclass(slots=True)
class House:
    """`local` is answered by the fleet alone, `either` by the fleet or `plane.backup`."""

    plane: Plane
    replicas: tuple[StubProvider, ...]
    service: StubProvider
    operator: redis.asyncio.Redis
    group: Group = field(default_factory=lambda: Group.of_provider("test", PROVIDER))

    async def publish(
        self,
        managed: Managed = AWAKE,
        seconds: float | None = None,
        **model: Any,
    ) -> None:
        await self.plane.publish(self.config(managed, seconds, **model))

    def config(self, managed: Managed, seconds: float | None, **model: Any) -> SidecarConfig:
        """`seconds`: what a request may take at the most."""
        ollama = Provider(
            id=PROVIDER,
            type="ollama",
            base_url=self.service.url,
            needs_key=False,
            models=(llama(**model),),
            managed=managed,
        )
        own = Candidate(provider=PROVIDER, model="llama")
        cloud = Candidate(provider=f"{NAMESPACE}/backup", model="large", priority=1)
        overrides = Overrides(timeout_seconds=seconds) if seconds else Overrides()
        target = Target(tier=f"{NAMESPACE}/local")
        ruling = policy(
            tiers=(f"{NAMESPACE}/local", f"{NAMESPACE}/either"),
            default=target,
            rules=(Rule(name="hurried", target=target, overrides=overrides),) if seconds else (),
        )
        tiers = (
            Tier(id=f"{NAMESPACE}/local", name="local", candidates=(own,)),
            Tier(id=f"{NAMESPACE}/either", name="either", candidates=(own, cloud)),
        )
        backup = provider("backup", self.plane.backup, "large")
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=(ollama, backup),
            tiers=tiers,
            policies=(ruling,),
        )

    def replica(self, number: int, *, loaded: bool = False, ready: bool = True) -> Replica:
        return Replica(
            name=f"ollama-{number}",
            address=self.replicas[number].url,
            ready=ready,
            models=(LLAMA,),
            loaded=(LLAMA,) if loaded else (),
        )

    async def tell(self, *replicas: Replica, message: str = "", wanted: int = 0) -> None:
        """As the operator writes it."""
        fleet = Fleet(at=0, replicas=replicas, message=message, wanted=wanted)
        key = Group.of_namespace("test", NAMESPACE).fleet(PROVIDER)
        await self.operator.set(key, fleet.model_dump_json())

    async def ask(self, model: str = "local", **fields: Any) -> Response:
        document = {"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}
        return await self.plane.ask(document)

    async def ollama(self, path: str, document: Mapping[str, object]) -> Response:
        request = post(json.dumps(document).encode()).replace(
            b"/v1/chat/completions", path.encode()
        )
        return await exchange(self.plane.ports.application, request)

    async def ask_and_leave(self, event: asyncio.Event) -> None:
        """A caller that goes once `event` is set."""
        said = [{"role": "user", "content": "Hi"}]
        body = json.dumps({"model": "local", "messages": said}).encode()
        async with connection(self.plane.ports.application) as (_, writer):
            writer.write(post(body))
            await writer.drain()
            await event.wait()

    async def demands(self) -> list[Demand]:
        found = await self.operator.hgetall(self.group.demand)
        said = (data for data in found.values() if isinstance(data, bytes))
        return [demand for data in said if (demand := decode_demand(data))]

    async def asked(self, *, waiting: int = 0, in_flight: int = 0) -> None:
        """Returns when Redis was told so."""
        want = ({LLAMA: waiting} if waiting else {}, {LLAMA: in_flight} if in_flight else {})

        async def told() -> bool:
            return [(d.waiting, d.in_flight) for d in await self.demands()] == [want]

        await until_it(told)

    async def figure(self, name: str) -> float:
        """Of the sidecar's metrics, by its whole name and labels."""
        text = (await self.plane.probe("/metrics")).body.decode()
        return next(
            (float(x.rpartition(" ")[2]) for x in text.splitlines() if x.startswith(name)), 0
        )

    @property
    def served(self) -> list[int]:
        """Requests that each replica got."""
        return [len(replica.requests) for replica in self.replicas]


@contextlib.asynccontextmanager
async def running_house(
    folder: Path, redis_url: str, sidecars_url: str | None = None
) -> AsyncIterator[House]:
    """`sidecars_url` leads the sidecar to the same Redis another way."""
    async with AsyncExitStack() as stack:
        stubs = [await stack.enter_async_context(StubProvider()) for _ in range(4)]
        operator = redis.asyncio.Redis.from_url(redis_url)
        stack.push_async_callback(operator.aclose)
        plane = await stack.enter_async_context(
            running_plane(
                folder, sidecars_url or redis_url, redis_deadline_seconds=PATIENCE_SECONDS
            )
        )
        house = House(plane, tuple(stubs[:3]), stubs[3], operator)
        await house.publish()
        yield house
