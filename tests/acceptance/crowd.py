"""Many who ask the same at once, and what their sidecars say of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock_cli.stub import StubProvider
from penstock_config.cache import Cache, ExactCache
from penstock_config.provider import Health
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.fleet import Fleet, Shipped, config
from tests.acceptance.registry import CHAT_STREAM, OPENAI, PLAIN_CHAT, Case
from tests.planes.plane import NAMESPACE
from tests.sidecar.http.edge import exchange, head
from tests.sidecar.redis_store.conftest import until_it

PLAIN, STREAM = Case(PLAIN_CHAT, OPENAI), Case(CHAT_STREAM, OPENAI)
FLIGHTS = re.compile(
    r'(?m)^penstock_cache_flights_total\{policy="([^"]+)",result="([^"]+)"\} (\S+)'
)
CACHED = Cache(exact=ExactCache(), scope="App")


def cached(fake: StubProvider, name: str, **of_policy: Any) -> SidecarConfig:
    """A policy and a provider of this name, which others' counters do not touch. However often the
    provider fails, it is asked."""
    provider = OPENAI.configured(fake, name, health=Health(failure_threshold=1000))
    return config(provider, **{"id": f"{NAMESPACE}/{name}", "cache": CACHED, **of_policy})


@dataclass(frozen=True, slots=True)
class Crowd:
    """All ask the model `name`; what they ask is the text."""

    name: str
    caller: Caller
    sidecars: Sequence[Shipped]

    async def ask(
        self, sidecar: Shipped, text: str, case: Case = PLAIN, *, user: str = ""
    ) -> Reply:
        body = case.endpoint.body(self.name, text)
        named = {"x_penstock_user": user} if user else {}
        return await self.caller.ask(sidecar, case, body, **named)

    def all_ask(
        self, count: int, text: str, *cases: Case, user: str = ""
    ) -> list[asyncio.Task[Reply]]:
        """In turn at each sidecar, and in the manner of each case."""
        found = []
        for number in range(count):
            turn, place = divmod(number, len(self.sidecars))
            case = cases[turn % len(cases)] if cases else PLAIN
            asking = self.ask(self.sidecars[place], text, case, user=user)
            found.append(asyncio.create_task(asking))
        return found

    async def are_there(self, count: int, *sidecars: Shipped) -> None:
        """Returns when so many are being served, in all."""

        async def there() -> bool:
            states = await asyncio.gather(*(s.state() for s in sidecars or self.sidecars))
            return count == sum(int(state["in_flight"]) for state in states)

        await until_it(there)

    async def flights(self) -> Counter[str]:
        """What became of those that found another one asking, since the sidecars' start."""
        found = Counter[str]()
        for sidecar in self.sidecars:
            text = (await exchange(sidecar.ports.probe, head("GET", "/metrics"))).body.decode()
            for policy, result, count in FLIGHTS.findall(text):
                if policy == f"{NAMESPACE}/{self.name}":
                    found[result] += round(float(count))
        return found


async def crowd(fleet: Fleet, caller: Caller, config: SidecarConfig) -> Crowd:
    """Before a fleet that serves by this configuration; each sidecar has served once."""
    await fleet.publish(config)
    found = Crowd(config.tiers[0].name, caller, fleet.sidecars)
    warm = [found.ask(sidecar, f"warm {number}") for number, sidecar in enumerate(found.sidecars)]
    assert {reply.status for reply in await asyncio.gather(*warm)} == {200}
    return found
