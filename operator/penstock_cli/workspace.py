"""From files to what sidecars read: the operator's own compilation, on this machine."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from penstock_cli.documents import Document, Loaded, load
from penstock_cli.finding import Finding, Place, errors_among
from penstock_cli.secret_sources import SecretKey, SecretSource, absent_secrets, with_secrets
from penstock_operator.compile.compiler import Compiled, compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.compile.snapshot import EmbedderSettings, RedisSettings, Snapshot

CLUSTER: Final = "local"
NO_REDIS: Final = RedisSettings(url="redis://127.0.0.1:0/0")
"""For commands that compile but start nothing."""
SOME_EMBEDDER: Final = EmbedderSettings(url="http://127.0.0.1:0", secret="")
"""For them, too: whether one runs is not the files' business."""
PATH_IN_FRONT = re.compile(r"^[a-zA-Z][\w.\[\]]*(?=: )")


@dataclass(frozen=True, slots=True)
class Workspace:
    """All that the files say, compiled as far as it goes."""

    written: Mapping[ObjectRef, Document]
    snapshot: Snapshot
    compiled: Compiled
    findings: tuple[Finding, ...]
    absent: tuple[SecretKey, ...]
    """Secrets that the files refer to and do not hold, given by somebody else or not."""

    def place_of(self, ref: ObjectRef, path: str) -> Place | None:
        """Where it is written, if it is among the files."""
        document = self.written.get(ref)
        return document.locate(path) if document else None

    @property
    def errors(self) -> tuple[Finding, ...]:
        return errors_among(self.findings)

    @property
    def objects(self) -> int:
        """How many custom resources the files hold."""
        s = self.snapshot
        parsed = map(ref_of, (*s.providers, *s.tiers, *s.policies, *s.budgets))
        return len({*parsed, *(problem.object for problem in s.unparsable)})

    @property
    def ruled_namespaces(self) -> tuple[str, ...]:
        """Those with a policy in effect: where a sidecar would have something to do."""
        return tuple(sorted(name for name, c in self.compiled.configs.items() if c.policies))


def compile_files(
    paths: tuple[str, ...],
    secrets: SecretSource,
    redis: RedisSettings = NO_REDIS,
    embedder: EmbedderSettings | None = SOME_EMBEDDER,
) -> Workspace:
    """Read and compile; raises `documents.NothingToRead` when a path leads nowhere."""
    return compile_loaded(load(paths), secrets, redis, embedder)


def compile_loaded(
    loaded: Loaded,
    secrets: SecretSource,
    redis: RedisSettings = NO_REDIS,
    embedder: EmbedderSettings | None = SOME_EMBEDDER,
) -> Workspace:
    """Compile what was read, with this machine's own addresses allowed to providers."""
    gathered = snapshot_of(
        [document.value for document in loaded.documents],
        cluster=CLUSTER,
        loopback_allowed=True,
        redis=redis,
        scope_keys={},
        taken_at=datetime.now(UTC),
    )
    keys = {namespace: _scope_key(redis, namespace) for namespace in gathered.namespaces}
    complete = replace(gathered, scope_keys=keys, embedder=embedder)
    snapshot = with_secrets(complete, secrets)
    compiled = compile_snapshot(snapshot)
    written = _written(loaded.documents)
    found = (_finding(problem, written) for problem in compiled.problems)
    return Workspace(
        written,
        snapshot,
        compiled,
        (*loaded.findings, *found),
        absent_secrets(gathered),
    )


def _written(documents: tuple[Document, ...]) -> Mapping[ObjectRef, Document]:
    """Each object's document; of duplicates the last, which is the one that counts."""
    return {_ref(document.value): document for document in documents}


def _scope_key(redis: RedisSettings, namespace: str) -> str:
    """From the way to Redis, so that all who share one agree; as secret as its password."""
    secret = f"{redis.url} {redis.username} {redis.password}"
    return hmac.digest(secret.encode(), namespace.encode(), "sha256").hex()


def _finding(problem: Problem, written: Mapping[ObjectRef, Document]) -> Finding:
    in_message = PATH_IN_FRONT.match(problem.message)
    path = problem.path or (in_message[0] if in_message else "")
    document = written.get(problem.object)
    return Finding.of(problem, document.locate(path) if document else None)


def _ref(value: Mapping[str, object]) -> ObjectRef:
    """As problems name it."""
    metadata = value.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return ObjectRef(
        str(value.get("kind")),
        str(named.get("namespace") or "default"),
        str(named.get("name", "unnamed")),
    )
