"""One sidecar over a fake provider of each type, asked by hand in each caller's dialect.

Each case has a provider of its own, so that none is out because of the case before it.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_cli.stub.record import Seen
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials
from penstock_config.policy import Policy, Retry, Target
from penstock_config.provider import Auth, Capability, Model, Provider, ProviderType
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Sidecar
from tests.fakes.vendors.anthropic import AnthropicProvider
from tests.fakes.vendors.azure import AzureStub
from tests.fakes.vendors.gemini import GeminiProvider
from tests.matrix.scenes import SCENES, Scene
from tests.sidecar.http.edge import Response, exchange, post
from tests.sidecar.local import settings_in

NAMESPACE: Final = "team"
KEY: Final = "sk-the-platforms-own"
EVERYTHING: Final[tuple[Capability, ...]] = ("chat", "tools", "vision", "json", "reasoning")
CALLERS: Final[Mapping[str, str]] = {
    "openai-chat": "/v1/chat/completions",
    "anthropic-messages": "/v1/messages",
    "ollama-chat": "/api/chat",
}
"""With the path of each."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of provider. `streamed` and `whole` are what its requests say of that, beside what
    the file in `asked/` holds; the paths are below the fake's URL."""

    type: ProviderType
    dialect: str
    model: str
    base: str
    path: str
    streamed: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict)
    streamed_path: str = ""
    auth: Auth = Auth()  # noqa: RUF009  # immutable
    preset: str | None = None


_USAGE: Final = {"stream": True, "stream_options": {"include_usage": True}}
_GOOGLE: Final = "/v1beta/models/gemini-2.5-flash"
KINDS: Final = (
    Kind(
        "openai", "openai", "gpt-upstream", "/v1", "/v1/chat/completions", _USAGE, preset="openai"
    ),
    Kind(
        "azure-openai",
        "openai",
        "gpt-upstream",
        "",
        "/openai/v1/chat/completions",
        _USAGE,
        auth=Auth(scheme="Header", name="api-key"),
    ),
    Kind(
        "anthropic",
        "anthropic",
        "claude-sonnet-4-5",
        "",
        "/v1/messages",
        {"stream": True},
        auth=Auth(scheme="Header", name="x-api-key"),
    ),
    Kind(
        "gemini",
        "gemini",
        "gemini-2.5-flash",
        "/v1beta",
        f"{_GOOGLE}:generateContent",
        streamed_path=f"{_GOOGLE}:streamGenerateContent",
        auth=Auth(scheme="Header", name="x-goog-api-key"),
    ),
    Kind(
        "ollama", "ollama", "llama-upstream", "", "/api/chat", {"stream": True}, {"stream": False}
    ),
)


@dataclass(frozen=True, slots=True)
class Case:
    caller: str
    kind: Kind
    scene: Scene

    @property
    def name(self) -> str:
        return f"{self.caller}-{self.kind.type}-{self.scene.name}"

    @property
    def provider_and_model(self) -> str:
        """As errors name them."""
        return f"{NAMESPACE}/{self.name}/{self.name}"


HERE: Final = Path(__file__).parent
CASES: Final = [
    Case(caller, kind, scene)
    for scene in SCENES
    for caller in CALLERS
    for kind in KINDS
    if scene.script(kind.dialect) is not None
    and (HERE / "asks" / caller / f"{scene.ask}.json").exists()
]


@dataclass(slots=True)
class World:
    port: int
    fakes: Mapping[str, StubProvider]
    """By the type."""

    async def asked(self, case: Case) -> tuple[Response, list[Seen]]:
        """What the caller got, and what reached the provider."""
        behaviour = case.scene.script(case.kind.dialect)
        assert behaviour is not None
        fake = self.fakes[case.kind.type]
        fake.always(behaviour)
        before = len(fake.requests)
        response = await asyncio.wait_for(exchange(self.port, request_of(case)), 20)
        return response, fake.requests[before:]


def request_of(case: Case) -> bytes:
    path = CALLERS[case.caller]
    if case.caller == "anthropic-messages":
        return post(body_of(case), path=path, anthropic_version="2023-06-01")
    return post(body_of(case), path=path)


def body_of(case: Case) -> bytes:
    """The question of the scene, as the caller's client would send it."""
    document = json.loads((HERE / "asks" / case.caller / f"{case.scene.ask}.json").read_text())
    document["model"] = case.name
    if case.caller == "ollama-chat":
        document["stream"] = case.scene.stream
    elif case.scene.stream:
        document["stream"] = True
    if case.scene.usage and case.caller == "openai-chat":
        document["stream_options"] = {"include_usage": True}
    return json.dumps(document, separators=(",", ":")).encode()


@contextlib.asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    settings = settings_in(folder, NAMESPACE)
    async with contextlib.AsyncExitStack() as stack:
        fakes: dict[str, StubProvider] = {
            "openai": await stack.enter_async_context(StubProvider()),
            "azure-openai": await stack.enter_async_context(AzureStub()),
            "anthropic": await stack.enter_async_context(AnthropicProvider()),
            "gemini": await stack.enter_async_context(GeminiProvider()),
            "ollama": await stack.enter_async_context(StubProvider()),
        }
        (folder / config_file_name()).write_bytes(encode(_config(fakes)))
        keys = {f"{NAMESPACE}/{case.name}": (SecretStr(KEY),) for case in CASES}
        credentials = Credentials(provider_keys=keys, scope_key=SecretStr("scope"))
        (folder / credentials_file_name()).write_bytes(encode(credentials))
        sidecar = Sidecar(settings)
        stack.push_async_callback(sidecar.close)
        ports = await sidecar.start()
        yield World(ports.application, fakes)


def _config(fakes: Mapping[str, StubProvider]) -> SidecarConfig:
    tier = f"{NAMESPACE}/all"
    return SidecarConfig(
        cluster="test",
        namespace=NAMESPACE,
        providers=tuple(_provider(case, fakes[case.kind.type].url) for case in CASES),
        tiers=(
            Tier(
                id=tier,
                name="all",
                candidates=tuple(
                    Candidate(provider=f"{NAMESPACE}/{case.name}", model=case.name, priority=place)
                    for place, case in enumerate(CASES)
                ),
            ),
        ),
        policies=(
            Policy(
                id=f"{NAMESPACE}/shop",
                default=Target(tier=tier),
                tiers=(tier,),
                retry=Retry(attempts=1, backoff_ms=0),
            ),
        ),
    )


def _provider(case: Case, url: str) -> Provider:
    kind = case.kind
    model = Model(
        name=case.name,
        upstream_name=kind.model,
        capabilities=EVERYTHING,
        context_window=100_000,
        max_output_tokens=8_192,
    )
    return Provider(
        id=f"{NAMESPACE}/{case.name}",
        type=kind.type,
        preset=kind.preset,
        base_url=f"{url}{kind.base}",
        auth=kind.auth,
        needs_key=True,
        models=(model,),
    )
