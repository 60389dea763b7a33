"""An embedder over HTTP whose similarities are written down, and that can be made bad.

fake.near["Hi there", "Hello"] = 0.97   what it says of two texts, either way round
fake.says = (Match(...),)               it says that of every text, whatever it keeps
fake.refuses = RefusalCode.OVERLOADED   it refuses
fake.silent.set()                       it takes requests and never answers
fake.forget()                           it has restarted with an empty memory
await fake.stop(); await fake.start()   nobody listens; somebody does, on the same port
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from aiohttp import web
from pydantic import SecretStr

from penstock_config.acl import cache_tag
from penstock_config.base import ConfigModel
from penstock_config.embedder import (
    NAMESPACE_HEADER,
    NEAREST_PATH,
    REMOVE_PATH,
    SIMILAR_PATH,
    VECTORS_PATH,
    EmbedderAccess,
    Match,
    NearestAnswer,
    NearestRequest,
    Refusal,
    RefusalCode,
    RemoveAnswer,
    RemoveRequest,
    SimilarAnswer,
    SimilarMatch,
    SimilarRequest,
    VectorAnswer,
    VectorRequest,
    namespace_token,
)

SECRET: Final = "the-installation's"
STATUSES: Final = {
    RefusalCode.UNAUTHORISED: 401,
    RefusalCode.FOREIGN_SHELF: 403,
    RefusalCode.TOO_LONG: 422,
    RefusalCode.OVERLOADED: 503,
}
R = TypeVar("R", NearestRequest, RemoveRequest, SimilarRequest, VectorRequest)


@dataclass(slots=True)
class FakeEmbedder:
    """Of one cluster."""

    cluster: str = "test"
    near: dict[tuple[str, str], float] = field(default_factory=dict)
    says: Sequence[Match] | None = None
    refuses: RefusalCode | None = None
    too_long: set[str] = field(default_factory=set)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    kept: list[VectorRequest] = field(default_factory=list)
    asked: list[ConfigModel] = field(default_factory=list)
    """Every request that was well-formed, in order."""
    heard: asyncio.Condition = field(default_factory=asyncio.Condition)
    """Notified after each request."""
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def access(self, namespace: str) -> EmbedderAccess:
        token = namespace_token(SECRET, self.cluster, namespace)
        return EmbedderAccess(url=self.url, token=SecretStr(token))

    def forget(self) -> None:
        self.kept.clear()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Returns when some request has made it true."""
        async with self.heard:
            await self.heard.wait_for(happened)

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post(NEAREST_PATH, self._answers(NearestRequest, self._nearest))
        application.router.add_post(VECTORS_PATH, self._answers(VectorRequest, self._keep))
        application.router.add_post(REMOVE_PATH, self._answers(RemoveRequest, self._remove))
        application.router.add_post(SIMILAR_PATH, self._answers(SimilarRequest, self._similar))
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    def _answers(
        self, kind: type[R], answer: Callable[[R], ConfigModel]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            wanted = kind.model_validate_json(await request.read())
            async with self.heard:
                self.asked.append(wanted)
                refused = self._refused(request, wanted)
                said = refused or answer(wanted)
                self.heard.notify_all()
            if self.silent.is_set():
                await asyncio.Event().wait()
            status = STATUSES.get(refused.error, 500) if refused else 200
            return web.Response(
                body=said.model_dump_json(), status=status, content_type="application/json"
            )

        return handle

    def _refused(
        self,
        request: web.Request,
        wanted: NearestRequest | RemoveRequest | SimilarRequest | VectorRequest,
    ) -> Refusal | None:
        namespace = request.headers[NAMESPACE_HEADER]
        token = namespace_token(SECRET, self.cluster, namespace)
        code = self.refuses
        if request.headers["authorization"] != f"Bearer {token}":
            code = RefusalCode.UNAUTHORISED
        elif not wanted.shelf.startswith(f"{cache_tag(self.cluster, namespace)}:"):
            code = RefusalCode.FOREIGN_SHELF
        elif getattr(wanted, "text", "") in self.too_long:
            code = RefusalCode.TOO_LONG
        return Refusal(error=code, message="no") if code else None

    def _nearest(self, wanted: NearestRequest) -> NearestAnswer:
        if self.says is not None:
            return NearestAnswer(matches=tuple(self.says))
        there = (v for v in self._of(wanted.shelf) if v.partition == wanted.partition)
        found = [Match(name=v.name, similarity=self._near(v.text, wanted.text)) for v in there]
        found = [match for match in found if match.similarity >= wanted.least]
        found.sort(key=lambda match: -match.similarity)
        return NearestAnswer(matches=tuple(found[: wanted.k]))

    def _keep(self, wanted: VectorRequest) -> VectorAnswer:
        place = (wanted.shelf, wanted.partition, wanted.name)
        self.kept = [v for v in self.kept if (v.shelf, v.partition, v.name) != place]
        self.kept.append(wanted)
        return VectorAnswer(kept=True)

    def _remove(self, wanted: RemoveRequest) -> RemoveAnswer:
        going = [
            v
            for v in self.kept
            if v.shelf == wanted.shelf
            and wanted.partition in {None, v.partition}
            and (wanted.names is None or v.name in wanted.names)
        ]
        self.kept = [v for v in self.kept if v not in going]
        return RemoveAnswer(removed=len(going))

    def _similar(self, wanted: SimilarRequest) -> SimilarAnswer:
        found = [
            SimilarMatch(name=v.name, partition=v.partition, similarity=near)
            for v in self._of(wanted.shelf)
            if (near := self._near(v.text, wanted.text)) >= wanted.least
        ]
        return SimilarAnswer(matches=tuple(found), complete=True)

    def _of(self, shelf: str) -> list[VectorRequest]:
        now_ms = time.time() * 1000
        return [v for v in self.kept if v.shelf == shelf and v.expires_at_ms > now_ms]

    def _near(self, a: str, b: str) -> float:
        said = self.near.get((a, b), self.near.get((b, a), 0.0))
        return 1.0 if a == b else said


@asynccontextmanager
async def fake_embedder(cluster: str = "test") -> AsyncIterator[FakeEmbedder]:
    """Listens on 127.0.0.1."""
    fake = FakeEmbedder(cluster)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
