"""What the demo plays on: scripted providers, a Redis, and two sidecars that share it."""

import importlib.resources
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import aiohttp

from penstock_cli.client import Client
from penstock_cli.config_files import ConfigFiles
from penstock_cli.documents import Document, Loaded, load
from penstock_cli.embedded_redis import embedded_redis
from penstock_cli.failure import Failure
from penstock_cli.secret_sources import from_environment
from penstock_cli.sidecar_process import RunningSidecar, SidecarOptions, sidecar
from penstock_cli.standin import StandIn, StandInPod, resolve
from penstock_cli.stub import Ok, StubProvider
from penstock_cli.workspace import Workspace, compile_loaded
from penstock_config.policy import CallerLimit
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.snapshot import RedisSettings

WINDOW_SECONDS: Final = 4
"""A minute of the policy's limits, so that nobody has to wait one."""
THINKING_SECONDS: Final = 0.25
ANSWER: Final = (
    "A penstock is a gate that holds back the water of a mill, and lets through as much of it as "
    "the wheel can use, and no more."
)
SIDECARS: Final = ("pod-a", "pod-b")


@dataclass(frozen=True, slots=True)
class Providers:
    """The upstreams by name; what they answer is set by the chapters."""

    swift: StubProvider
    sage: StubProvider
    basement: StubProvider

    def urls(self) -> Mapping[str, str]:
        return {
            "swift": f"{self.swift.url}/v1",
            "sage": f"{self.sage.url}/v1",
            "basement": self.basement.url,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a chapter may use."""

    client: Client
    providers: Providers
    config: SidecarConfig
    pods: tuple[RunningSidecar, RunningSidecar]


@asynccontextmanager
async def stage(hear: Callable[[str], None]) -> AsyncIterator[Stage]:
    """Build it up, and take it down at the end; `hear` gets the sidecars' logs."""
    async with AsyncExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="penstock-")))
        providers = Providers(
            *[await exits.enter_async_context(_thinking()) for _ in fields(Providers)]
        )
        redis = await exits.enter_async_context(embedded_redis(folder))
        workspace = compile_demo(providers.urls(), redis)
        pod = resolve(StandIn(app="assistant"), workspace)
        files = ConfigFiles(folder)
        files.write_labels(pod.labels)
        config = with_short_windows(pod.config)
        files.write(config, workspace.compiled.credentials[pod.namespace])
        first, second = [
            await exits.enter_async_context(sidecar(_options(pod, name), files, hear))
            for name in SIDECARS
        ]
        session = await exits.enter_async_context(aiohttp.ClientSession())
        yield Stage(Client(session), providers, config, (first, second))


def compile_demo(urls: Mapping[str, str], redis: RedisSettings) -> Workspace:
    """The bundled resources with these addresses; anything wrong with them is our own failure."""
    bundled = importlib.resources.files(__package__).joinpath("resources.yaml")
    with importlib.resources.as_file(bundled) as file:
        loaded = load((str(file),))
    addressed = Loaded(tuple(_addressed(d, urls) for d in loaded.documents), loaded.findings)
    workspace = compile_loaded(addressed, from_environment({}), redis, None)
    if workspace.findings:
        first = workspace.findings[0]
        msg = f"the demo's own resources are wrong: {first.subject} {first.path} {first.message}"
        raise Failure(msg)
    return workspace


def with_short_windows(config: SidecarConfig) -> SidecarConfig:
    """The operator always writes 60 s. Nothing else of what it compiled is changed."""
    policies = tuple(
        policy.model_copy(update={"limits": tuple(_short(limit) for limit in policy.limits)})
        for policy in config.policies
    )
    return config.model_copy(update={"policies": policies})


def _short(limit: CallerLimit) -> CallerLimit:
    rates = limit.limits.model_copy(update={"window_seconds": WINDOW_SECONDS})
    return limit.model_copy(update={"limits": rates})


def _addressed(document: Document, urls: Mapping[str, str]) -> Document:
    value = document.value
    metadata, spec = value.get("metadata"), value.get("spec")
    if value.get("kind") != "LLMProvider" or not (
        isinstance(metadata, dict) and isinstance(spec, dict)
    ):
        return document
    return replace(document, value={**value, "spec": {**spec, "baseURL": urls[metadata["name"]]}})


def _thinking() -> StubProvider:
    """As slow as a quick model is, so that an answer from the cache can be told by its time."""
    return StubProvider(default=Ok(ANSWER, first=THINKING_SECONDS))


def _options(pod: StandInPod, name: str) -> SidecarOptions:
    return SidecarOptions(pod.namespace, pod.app, name)
