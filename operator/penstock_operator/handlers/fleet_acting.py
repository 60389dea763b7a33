"""What a managed provider consists of into the API server: what differs is applied, and what is no
longer planned goes.

Nothing is written where nothing differs; what somebody else made under one of our names is left
alone, and said. Every `CHECK_SECONDS` what is not listed anyway is looked at again, so that what
somebody changed or deleted comes back.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.cluster import (
    Cluster,
    ClusterError,
    ClusterUnreachable,
    Conflict,
    Fenced,
)
from penstock_operator.cluster.client import CLAIMS, CONFIG_MAPS, DEPLOYMENTS, Document
from penstock_operator.cluster.statuses import FLEET_MANAGER
from penstock_operator.cluster.workloads import find, remove, resource_of
from penstock_operator.fleet.facts import Fault
from penstock_operator.metrics import Metrics
from penstock_operator.ollama.workload.comparison import differs
from penstock_operator.ollama.workload.installation import Found
from penstock_operator.ollama.workload.names import claim, is_ours, models_map

CHECK_SECONDS: Final = 60.0
SEEN_SECONDS: Final = 6.0
"""So long what was applied need not show in a list: that may be a moment old."""
REFUSED_SECONDS: Final = 15.0
NOT_OURS: Final = (
    "{kind} {name} is there and was not made for this LLMProvider: delete it, or create another"
    " LLMProvider"
)
logger = logging.getLogger(__name__)
Key = tuple[str, str, str]


class Acting:
    """Remembers what it applied, and what was refused."""

    def __init__(self, cluster: Cluster, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._clock = clock
        self._applied: dict[Key, tuple[str, float]] = {}
        self._refused: dict[str, tuple[str, float, Fault]] = {}

    async def apply(
        self,
        provider: LLMProvider,
        documents: Sequence[Document],
        found: Found,
    ) -> Fault | None:
        """In order; what is refused ends it, and is said. A claim that is there serves as it is,
        also if it may not grow: what comes after it is applied all the same."""
        mark, now = _digest(documents), self._clock()
        former = self._refused.get(provider.id)
        if former and former[0] == mark and now - former[1] < REFUSED_SECONDS:
            return former[2]
        self._refused.pop(provider.id, None)
        first: Fault | None = None
        for document in documents:
            ends = True
            try:
                fault = await self._apply(provider, document, found.deployments)
            except (Fenced, Conflict):
                return first  # whoever is faster does it, or the next round
            except ClusterUnreachable as error:
                logger.warning("fleet.not_applied", extra={"error": str(error)})
                return first
            except ClusterError as error:
                self._metrics.writes.labels("workload", "failed").inc()
                fault = "WorkloadRefused", str(error)
                ends = not _serves_as_it_is(provider, document, found)
            first = first or fault
            if fault is not None and ends:
                break
        if first is not None:
            self._refused[provider.id] = mark, now, first
        return first

    async def remove_groups(
        self, provider: LLMProvider, names: Iterable[str], deployments: Mapping[str, Document]
    ) -> None:
        """With their ConfigMaps and volumes; the Deployment last, as the one that is listed."""
        namespace = provider.metadata.namespace
        for name in names:
            if not is_ours(provider, deployments[name]):
                continue
            rest = ((CONFIG_MAPS, models_map(name)), (CLAIMS, claim(name)))
            await self.remove(
                provider,
                [
                    {
                        "apiVersion": resource.api_version,
                        "kind": resource.kind,
                        "metadata": {"name": of, "namespace": namespace},
                    }
                    for resource, of in rest
                ],
            )
            await remove(self._cluster, DEPLOYMENTS, namespace, name)
            self._metrics.writes.labels("workload", "ok").inc()
            logger.info("fleet.removed", extra={"group": f"{namespace}/{name}"})

    async def remove(self, provider: LLMProvider, documents: Iterable[Document]) -> None:
        """Those that are there and ours; looked for now and then."""
        for document in documents:
            key, now = _key(document), self._clock()
            mark, at = self._applied.get(key, ("", float("-inf")))
            if not mark and now - at < CHECK_SECONDS:
                continue
            there = await find(self._cluster, document)
            if there is not None and is_ours(provider, there):
                meta = document["metadata"]
                resource = resource_of(document)
                await remove(self._cluster, resource, meta["namespace"], meta["name"])
                self._metrics.writes.labels("workload", "ok").inc()
            self._applied[key] = "", now

    def forget(self, providers: Iterable[str]) -> None:
        """All but what is of these namespaces' providers."""
        kept = frozenset(providers)
        namespaces = {id_.partition("/")[0] for id_ in kept}
        self._refused = {id_: each for id_, each in self._refused.items() if id_ in kept}
        self._applied = {key: e for key, e in self._applied.items() if key[1] in namespaces}

    async def _apply(
        self, provider: LLMProvider, document: Document, deployments: Mapping[str, Document]
    ) -> Fault | None:
        key, mark, now = _key(document), _digest(document), self._clock()
        former, at = self._applied.get(key, ("", float("-inf")))
        listed = deployments.get(document["metadata"]["name"])
        of_list = document["kind"] == DEPLOYMENTS.kind and listed is not None
        if of_list and not differs(listed, document):
            return None
        patience = SEEN_SECONDS if document["kind"] == DEPLOYMENTS.kind else CHECK_SECONDS
        if former == mark and now - at < patience:
            return None
        there = listed if of_list else await find(self._cluster, document)
        if there is not None and not is_ours(provider, there):
            return "WorkloadRefused", NOT_OURS.format(kind=document["kind"], name=key[2])
        if there is not None and "deletionTimestamp" in there["metadata"]:
            return None  # it goes as soon as no pod holds it: then another is made
        if there is None or differs(there, document):
            await self._cluster.apply(resource_of(document), document, manager=FLEET_MANAGER)
            self._metrics.writes.labels("workload", "ok").inc()
            logger.info("fleet.applied", extra={"object": " ".join(key)})
        self._applied[key] = mark, now
        return None


def _serves_as_it_is(provider: LLMProvider, document: Document, found: Found) -> bool:
    """Whether it is a claim of ours that is there already."""
    if document["kind"] != CLAIMS.kind:
        return False
    there = found.claims.get(document["metadata"]["name"])
    return there is not None and is_ours(provider, there)


def _key(document: Document) -> Key:
    meta = document["metadata"]
    return document["kind"], meta["namespace"], meta["name"]


def _digest(documents: object) -> str:
    return hashlib.sha256(json.dumps(documents, sort_keys=True).encode()).hexdigest()
