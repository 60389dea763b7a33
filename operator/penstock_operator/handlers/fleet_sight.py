"""Which providers we run, and what there is of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import Document
from penstock_operator.cluster.workloads import own_workloads
from penstock_operator.fleet.observed import Pod, Workload, pods_of, provider_of, workload_of
from penstock_operator.fleet.page import own_part
from penstock_operator.handlers.inventory import Inventory, Seen
from penstock_operator.ollama.nodes import hosts_of
from penstock_operator.ollama.workload.names import is_ours


@dataclass(frozen=True, slots=True)
class Run:
    """A provider that we run, or ran until its spec changed."""

    seen: Seen
    provider: LLMProvider

    @property
    def id(self) -> str:
        return self.provider.id

    @property
    def is_managed(self) -> bool:
        return self.provider.spec.ollama is not None

    @property
    def keeps_models(self) -> bool:
        return self.provider.spec.ollama is not None and bool(self.provider.spec.ollama.storage)


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is, by provider's id."""

    workloads: Mapping[str, Mapping[str, Workload]] = field(default_factory=dict)
    """By Deployment's name."""
    pods: Mapping[str, tuple[Pod, ...]] = field(default_factory=dict)
    """Of these Deployments."""
    claims: Mapping[str, Mapping[str, Document]] = field(default_factory=dict)
    """By name."""
    hosts: frozenset[str] = frozenset()
    """Nodes on which pods of ours hold GPUs, also those that end, of whichever Deployment."""

    def deployments(self, id_: str) -> dict[str, Document]:
        return {name: dict(w.document) for name, w in self.workloads.get(id_, {}).items()}


def runs_of(inventory: Inventory) -> list[Run]:
    """Sorted by id."""
    found = []
    for seen in inventory.objects.values():
        provider = seen.resource
        if not isinstance(provider, LLMProvider):
            continue
        status = {**seen.status, "conditions": list(seen.conditions)}
        if provider.spec.ollama is not None or own_part(status):
            found.append(Run(seen, provider))
    return sorted(found, key=lambda run: run.id)


async def sight_of(cluster: Cluster, runs: Iterable[Run]) -> Sight:
    """Raises `ClusterError`."""
    by_namespace: dict[str, list[Run]] = {}
    for run in runs:
        by_namespace.setdefault(run.provider.metadata.namespace, []).append(run)
    workloads: dict[str, dict[str, Workload]] = {}
    pods: dict[str, tuple[Pod, ...]] = {}
    claims: dict[str, dict[str, Document]] = {}
    hosts: frozenset[str] = frozenset()
    for namespace, those in by_namespace.items():
        keeps = any(run.keeps_models for run in those)
        own = await own_workloads(cluster, namespace, claims=keeps)
        hosts |= hosts_of(own.pods)
        for run in those:
            workloads[run.id] = _workloads(run, own.deployments)
            of_run = [d for d in own.pods if provider_of(d) == run.id]
            pods[run.id] = tuple(p for p in pods_of(of_run) if p.group in workloads[run.id])
            claims[run.id] = {d["metadata"]["name"]: d for d in own.claims if _is_of(run, d)}
    return Sight(workloads, pods, claims, hosts)


def _workloads(run: Run, documents: Iterable[Document]) -> dict[str, Workload]:
    found = (workload_of(d) for d in documents if _is_of(run, d) and is_ours(run.provider, d))
    return {workload.group.name: workload for workload in found if workload is not None}


def _is_of(run: Run, document: Document) -> bool:
    return provider_of(document) == run.id
