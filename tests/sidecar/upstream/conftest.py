"""A scripted provider, and calls to it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.credentials import Credentials
from penstock_config.provider import Auth, Capability, Model, Provider, ProviderType, Timeouts
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import UpstreamError
from penstock_sidecar.model import Candidate, Chunk, Usage
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.upstream import build_upstreams, open_session
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.entra import Application, Token
from penstock_sidecar.upstream.session import Route

PROVIDER_ID = "platform/acme"
HELLO = {"role": "user", "content": "Hi"}


@dataclass(frozen=True, slots=True)
class Got:
    """A whole answer, read to its end."""

    data: bytes
    usage: Usage | None
    finish: str | None
    text_bytes: int
    content_type: str
    headers: Mapping[str, str]
    chunks: tuple[Chunk, ...] = field(default=(), repr=False)

    @property
    def document(self) -> dict[str, object]:
        document = json.loads(self.data)
        assert isinstance(document, dict)
        return document

    @property
    def events(self) -> list[dict[str, object]]:
        """The stream's documents, `[DONE]` left out."""
        events = [event.removeprefix(b"data: ") for event in self.data.split(b"\n\n")]
        return [json.loads(event) for event in events if event and event != b"[DONE]"]


@dataclass(frozen=True, slots=True)
class OneSession:
    """A `Reach` that asks nobody for tokens; `Ways` is the real one."""

    open: aiohttp.ClientSession

    def session(self, _: Route) -> aiohttp.ClientSession:
        return self.open

    def token(self, _: Application) -> Token:
        raise AssertionError("no provider of these tests has an application")


@dataclass(slots=True)
class Acme:
    """One provider of one model, `m`, known to it as `acme-m`."""

    stub: StubProvider
    session: aiohttp.ClientSession
    type: ProviderType = "openai"
    keys: tuple[str, ...] = ("sk-test-0123456789",)
    needs_key: bool = True
    auth: Auth = field(default_factory=Auth)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    capabilities: tuple[Capability, ...] = ("chat",)
    base_url: str | None = None
    preset: str | None = None
    api_version: str | None = None
    clock: Clock | None = None

    def provider(self) -> Provider:
        path = "/v1" if self.type == "openai" else ""
        return Provider(
            id=PROVIDER_ID,
            type=self.type,
            preset=self.preset,
            base_url=self.base_url or f"{self.stub.url}{path}",
            api_version=self.api_version,
            auth=self.auth,
            needs_key=self.needs_key,
            headers=self.headers,
            models=(Model(name="m", upstream_name="acme-m", capabilities=self.capabilities),),
            timeouts=self.timeouts,
        )

    def upstream(self) -> Upstream:
        config = SidecarConfig(cluster="c", namespace="n", providers=(self.provider(),))
        credentials = Credentials(
            provider_keys={PROVIDER_ID: tuple(SecretStr(key) for key in self.keys)},
            scope_key=SecretStr("s"),
        )
        reach = OneSession(self.session)
        return build_upstreams(config, credentials, reach, self.clock)[PROVIDER_ID]

    def prepare(
        self,
        most: int | None = None,
        caller_headers: Mapping[str, str] | None = None,
        *,
        nudge: bool = False,
        **fields: object,
    ) -> Call:
        body = json.dumps({"model": "fast", "messages": [HELLO]} | fields).encode()
        request = parse_chat(body, caller_headers or {}, "call-1")
        provider = self.provider()
        candidate = Candidate(provider, provider.models[0], "fast", "n/fast")
        return Call(request, candidate, most, nudge)

    async def ask(self, **fields: object) -> Got:
        return await read(self.upstream(), self.prepare(**fields))  # type: ignore[arg-type]  # the test's own


async def failure(acme: Acme, **fields: object) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await acme.ask(**fields)
    return caught.value


async def read(upstream: Upstream, call: Call) -> Got:
    async with upstream.call(call) as answer:
        chunks = [chunk async for chunk in answer.chunks]
    return Got(
        data=b"".join(chunk.data for chunk in chunks),
        usage=next((c.usage for c in reversed(chunks) if c.usage), None),
        finish=next((c.finish for c in chunks if c.finish), None),
        text_bytes=sum(chunk.text_bytes for chunk in chunks),
        content_type=answer.content_type,
        headers=answer.headers,
        chunks=tuple(chunks),
    )


@pytest.fixture
async def stub() -> AsyncIterator[StubProvider]:
    async with StubProvider() as provider:
        yield provider


@pytest.fixture
async def acme(stub: StubProvider) -> AsyncIterator[Acme]:
    async with open_session() as session:
        yield Acme(stub, session)
