"""YAML documents into a snapshot: what `penstock up` and `penstock validate` look at.

The operator gathers from its watches instead, with the same `parse`.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, TypeVar

from penstock_operator.api import GROUP
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.labels import NAME_LABEL
from penstock_operator.compile.parse import KINDS, Resource, parse_resource, ref_of, salvage
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.compile.snapshot import (
    PodLabels,
    RedisSettings,
    SecretData,
    SecretId,
    Snapshot,
)

T = TypeVar("T", bound=Resource)
Document = Mapping[str, object]
WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"})
MAX_REPLICAS: Final = 1000
"""Pods counted of one workload in a file: its number comes from outside."""


def snapshot_of(
    documents: Iterable[Document],
    *,
    cluster: str,
    loopback_allowed: bool,
    redis: RedisSettings | None,
    scope_keys: Mapping[str, str],
    taken_at: datetime | None = None,
) -> Snapshot:
    """All that the documents say; kinds that are not our business are ignored.

    Of two documents for one object the last counts, as with `kubectl apply`.
    """
    all_documents = tuple(_flattened(documents))
    resources, problems = _resources(all_documents)
    return Snapshot(
        cluster=cluster,
        providers=_of(LLMProvider, resources),
        tiers=_of(ModelTier, resources),
        policies=_of(RoutePolicy, resources),
        budgets=_of(Budget, resources),
        secrets=_secrets(all_documents),
        namespaces=_namespaces(all_documents),
        pods=tuple(pod for document in all_documents for pod in _pods(document)),
        redis=redis,
        scope_keys=scope_keys,
        unparsable=problems,
        taken_at=taken_at,
        loopback_allowed=loopback_allowed,
    )


def _flattened(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents, and those inside of a `List`, as `kubectl get -o yaml` writes it."""
    for document in documents:
        items = document.get("items")
        if str(document.get("kind")).endswith("List") and isinstance(items, list):
            yield from _flattened(item for item in items if isinstance(item, Mapping))
        else:
            yield document


def _resources(
    documents: Iterable[Document],
) -> tuple[Mapping[ObjectRef, Resource], tuple[Problem, ...]]:
    resources: dict[ObjectRef, Resource] = {}
    problems = []
    for document in filter(_is_ours, documents):
        found = parse_resource(document)
        if isinstance(found, Problem):
            problems.append(found)
            if (salvaged := salvage(document)) is not None:
                resources[ref_of(salvaged)] = salvaged
            continue
        ref = ref_of(found)
        if ref in resources:
            message = "is given twice and the last one counts: remove the other"
            problems.append(Problem(ref, "Accepted", "InvalidSpec", message, "warning"))
        resources[ref] = found
    return resources, tuple(problems)


def _is_ours(document: Document) -> bool:
    """By kind or by group, so that a slip in one of the two is reported."""
    return document.get("kind") in KINDS or str(document.get("apiVersion")).startswith(f"{GROUP}/")


def _of(type_: type[T], resources: Mapping[ObjectRef, Resource]) -> tuple[T, ...]:
    return tuple(found for found in resources.values() if isinstance(found, type_))


def _secrets(documents: Iterable[Document]) -> Mapping[SecretId, SecretData]:
    return {_id(d): SecretData(_secret_values(d)) for d in documents if d.get("kind") == "Secret"}


def _secret_values(secret: Document) -> Mapping[str, bytes]:
    """`data` decoded, `stringData` over it. What cannot be read is empty: there, but no key."""
    decoded = {str(key): _decoded(text) for key, text in _part(secret, "data").items()}
    plain = {str(key): _encoded(text) for key, text in _part(secret, "stringData").items()}
    return decoded | plain


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _encoded(text: object) -> bytes:
    return text.encode(errors="replace") if isinstance(text, str) else b""


def _namespaces(documents: Iterable[Document]) -> Mapping[str, Mapping[str, str]]:
    """Labels of every namespace that occurs, with the one that the API server adds."""
    labels: dict[str, dict[str, str]] = {}
    for document in documents:
        namespace, name = _id(document)
        if document.get("kind") == "Namespace":
            labels.setdefault(name, {}).update(_strings(document, "metadata", "labels"))
        else:
            labels.setdefault(namespace, {})
    return {name: {NAME_LABEL: name, **own} for name, own in labels.items()}


def _pods(document: Document) -> Iterator[PodLabels]:
    """The pod, or the pods that the workload asks for."""
    namespace, name = _id(document)
    kind = document.get("kind")
    if kind == "Pod":
        yield PodLabels(namespace, name, _strings(document, "metadata", "labels"))
    elif kind in WORKLOADS:
        labels = _strings(document, "spec", "template", "metadata", "labels")
        for number in range(_replicas(document)):
            yield PodLabels(namespace, f"{name}-{number}", labels)


def _replicas(workload: Document) -> int:
    wanted = _part(workload, "spec").get("replicas", 1)
    return min(max(wanted, 0), MAX_REPLICAS) if isinstance(wanted, int) else 1


def _id(document: Document) -> tuple[str, str]:
    metadata = _part(document, "metadata")
    return str(metadata.get("namespace") or "default"), str(metadata.get("name"))


def _part(document: Document, *path: str) -> Document:
    """What lies at a path, empty if nothing or something else than an object does."""
    part: object = document
    for step in path:
        part = part.get(step) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _strings(document: Document, *path: str) -> dict[str, str]:
    return {
        str(key): value for key, value in _part(document, *path).items() if isinstance(value, str)
    }
