"""A sidecar whose policy looks for meaning, and an embedder whose similarities are written down."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from penstock_cli.stub import Ok
from penstock_config.cache import Cache, SemanticCache
from penstock_config.embedder import EmbedderAccess, NearestRequest
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_sidecar.cache.semantic.level import SemanticLevel
from tests.fakes.embedder import FakeEmbedder, fake_embedder
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane
from tests.sidecar.http.edge import Response, exchange, head

KEPT = "How do I open a savings account?"
ASKED = "How can I open a savings account?"
SIMILARITY = 0.971
PATIENT_SECONDS = 30.0
"""A busy machine is no test of the cache."""


@dataclass(slots=True)
class Meaning:
    """`KEPT` and `ASKED` mean the same to the embedder."""

    plane: Plane
    embedder: FakeEmbedder
    namespace: str = NAMESPACE

    async def publish(
        self, cache: Cache | None = None, config: SidecarConfig | None = None, **semantic: Any
    ) -> None:
        """Level 3 alone unless `cache` says otherwise; its guard is off unless `semantic` does.
        `config` is what else there is, its cache aside."""
        level = SemanticCache(**{"guard": False, "ttl_seconds": 600, **semantic})
        wanted = (cache or Cache()).model_copy(update={"semantic": level})
        access = self.embedder.access(self.namespace)
        credentials = self.plane.credentials().model_copy(update={"embedder": access})
        usual = config or self.plane.config()
        (ruling,) = usual.policies
        changes = {
            "namespace": self.namespace,
            "policies": (ruling.model_copy(update={"cache": wanted}),),
            "providers": tuple(map(_that_can_json, usual.providers)),
        }
        config = usual.model_copy(update=changes)
        await self.plane.publish(config, credentials)

    async def ask(
        self, content: str, headers: dict[str, str] | None = None, **fields: Any
    ) -> Response:
        response = await self.plane.ask(chat(content, **fields), **(headers or {}))
        assert response.status == 200, response.body
        return response

    async def keep(self, content: str = KEPT, answer: str = "In the app", **more: Any) -> Response:
        """Asks, and returns when the embedder has been told."""
        self.plane.main.always(Ok(text=answer))
        told = len(self.embedder.kept)
        response = await self.ask(content, **more)
        await self.embedder.until(lambda: len(self.embedder.kept) > told)
        return response

    async def publish_with(self, access: EmbedderAccess, **semantic: Any) -> None:
        """The same with another embedder."""
        level = SemanticCache(**{"ttl_seconds": 600, **semantic})
        credentials = self.plane.credentials().model_copy(update={"embedder": access})
        await self.plane.publish(self.plane.config(cache=Cache(semantic=level)), credentials)

    async def settled(self) -> None:
        """Returns when nothing is left to be told or learnt."""
        runtime = self.plane.sidecar._holder.peek()
        assert runtime
        assert runtime.pipeline
        level = runtime.pipeline.cache._semantic
        assert isinstance(level, SemanticLevel)
        await level.errands.settled()

    @property
    def upstream_calls(self) -> int:
        return len(self.plane.main.requests)

    @property
    def lookups(self) -> list[NearestRequest]:
        """What the embedder was asked for."""
        return [asked for asked in self.embedder.asked if isinstance(asked, NearestRequest)]

    async def remove(self, **which: str) -> int:
        """By `DELETE /v1/cache`; says how many answers there were."""
        path = f"/v1/cache?{urlencode(which)}"
        response = await exchange(self.plane.ports.application, head("DELETE", path))
        assert response.status == 200, response.body
        return int(json.loads(response.body)["removed"])

    async def metric(self, name: str, **labels: str) -> float:
        """0 where there is no such series."""
        text = (await self.plane.probe("/metrics")).body.decode()
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in text.splitlines():
            series, _, value = line.rpartition(" ")
            found, _, told = series.partition("{")
            if found == name and wanted <= set(told.rstrip("}").split(",")):
                return float(value)
        return 0.0


@asynccontextmanager
async def meaning(
    folder: Path, redis_url: str, embedder: FakeEmbedder | None = None, **settings: Any
) -> AsyncIterator[Meaning]:
    """Published, with an embedder that answers: its own, unless one is given."""
    patient = {
        "redis_deadline_seconds": PATIENT_SECONDS,
        "embedder_deadline_seconds": PATIENT_SECONDS,
        **settings,
    }
    async with AsyncExitStack() as stack:
        fake = embedder
        if fake is None:
            fake = await stack.enter_async_context(fake_embedder())
        plane = await stack.enter_async_context(running_plane(folder, redis_url, **patient))
        fake.near[KEPT, ASKED] = SIMILARITY
        found = Meaning(plane, fake, settings.get("namespace", NAMESPACE))
        await found.publish()
        yield found


def _that_can_json(provider: Provider) -> Provider:
    models = tuple(
        model.model_copy(update={"capabilities": (*model.capabilities, "json")})
        for model in provider.models
    )
    return provider.model_copy(update={"models": models})


def said(response: Response) -> str:
    """How the cache says that it took part."""
    return response.headers["x-penstock-cache"]
