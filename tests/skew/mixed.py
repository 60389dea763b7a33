"""A pod's files as either operator leaves them, and a sidecar of each version that reads them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

from penstock_config.codec import config_file_name, credentials_file_name, digest
from penstock_config.older import OLDER_CREDENTIALS, OLDER_VERSION
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import SECRETS, Document, Resource
from penstock_operator.cluster.published import carry_out
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.snapshot import RedisSettings
from penstock_operator.plan import plan_writes
from tests.chaos.house import Sidecar, started
from tests.fakes.volume import Volume
from tests.operator.compile.documents import document
from tests.planes.plane import NAMESPACE
from tests.sidecar.http.edge import exchange, head
from tests.skew.frozen import Frozen

Files = Mapping[str, bytes]
Operator = Callable[[Sequence[Document]], Awaitable[Files]]
"""What it publishes of these documents in the namespace."""
NEWEST: Final = config_file_name()
OLDER: Final = config_file_name(OLDER_VERSION)
NEWEST_SECRETS: Final = credentials_file_name()
OLDER_SECRETS: Final = credentials_file_name(OLDER_CREDENTIALS)
PATIENCE_SECONDS: Final = 20
SCOPE_KEY: Final = "scope"


def present_operator(redis_url: str) -> Operator:
    """Compiles, plans and writes as it does in a cluster."""

    async def publish(documents: Sequence[Document]) -> Files:
        gathered = snapshot_of(
            documents,
            cluster="test",
            loopback_allowed=True,
            redis=RedisSettings(url=redis_url),
            scope_keys={},
        )
        keys = dict.fromkeys(gathered.namespaces, SCOPE_KEY)
        compiled = compile_snapshot(replace(gathered, scope_keys=keys))
        applied = _Applied()
        for plan in plan_writes(compiled.files, compiled.credentials, {}):
            await carry_out(cast("Cluster", applied), plan)
        return applied.files

    return publish


def operator_before(frozen: Frozen, redis_url: str) -> Operator:
    """The same of the version before."""

    async def publish(documents: Sequence[Document]) -> Files:
        (found,) = await asyncio.to_thread(frozen.compile, [list(documents)], redis_url)
        return {name: text.encode() for name, text in found[NAMESPACE].items()}

    return publish


@dataclass
class _Applied:
    """In place of a cluster: keeps the data of what is applied."""

    files: dict[str, bytes] = field(default_factory=dict)

    async def apply(self, resource: Resource, document: Document) -> None:
        for name, text in document["data"].items():
            data: str = text
            self.files[name] = base64.b64decode(data) if resource == SECRETS else data.encode()


@dataclass
class Pods:
    """A pod of each version, on one node and one Redis; what is mounted, both see."""

    volume: Volume
    older: Sidecar
    newer: Sidecar

    @property
    def both(self) -> tuple[Sidecar, Sidecar]:
        return self.older, self.newer

    async def mount(self, files: Files) -> None:
        """Returns when each works by the newest file that it knows."""
        publish(self.volume, files)
        newest = files.get(NEWEST, files[OLDER])
        await asyncio.gather(
            until(self.older, config_digest=digest(files[OLDER])),
            until(self.newer, config_digest=digest(newest)),
        )


def publish(volume: Volume, files: Files) -> None:
    """In one swap."""
    volume.publish(**{name.replace(".", "_"): data for name, data in files.items()})


async def state(sidecar: Sidecar) -> dict[str, Any]:
    found = json.loads((await exchange(sidecar.ports.admin, head("GET", "/debug/state"))).body)
    assert isinstance(found, dict)
    return found


async def until(sidecar: Sidecar, **wanted: object) -> dict[str, Any]:
    """The state, once it says so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await state(sidecar)
            if wanted.items() <= found.items():
                return found


@asynccontextmanager
async def pods(folder: Path, code: Path, files: Files) -> AsyncIterator[Pods]:
    """Both at work by these files; `code` is the version before."""
    volume = Volume(folder / "mounted")
    publish(volume, files)
    async with AsyncExitStack() as stack:
        coming = (
            started(volume.path, its_code, POD_NAME=name)
            for its_code, name in ((code, "shop-older"), (None, "shop-newer"))
        )
        older, newer = await asyncio.gather(*map(stack.enter_async_context, coming))
        found = Pods(volume, older, newer)
        await found.mount(files)
        yield found


def documents(url: str, key: str = "sk-first", **of_policy: Any) -> list[Document]:
    """A provider at `url` whose only model both tiers have, and one policy; `fast` is default."""
    secret = {
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": NAMESPACE},
        "stringData": {"api-key": key},
    }
    model = {
        "name": "small",
        "capabilities": ["chat", "vision"],
        "contextWindow": 8192,
        "maxOutputTokens": 64,
        "price": {"inputPerMillion": "1", "outputPerMillion": "2"},
    }
    provider = document(
        "LLMProvider",
        "cloud",
        NAMESPACE,
        type="openai",
        baseURL=f"{url}/v1",
        credentials={"secretRefs": [{"name": "keys", "key": "api-key"}]},
        models=[model],
    )
    tiers = [
        document(
            "ModelTier", name, NAMESPACE, models=[{"provider": {"name": "cloud"}, "model": "small"}]
        )
        for name in ("fast", "pictures")
    ]
    ruling = {"defaultTier": {"name": "fast"}, "onRedisLoss": "Closed", **of_policy}
    return [secret, provider, *tiers, document("RoutePolicy", "shop", NAMESPACE, **ruling)]
