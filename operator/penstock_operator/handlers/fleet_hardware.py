"""Which GPUs there are, and which of them others hold: looked at as often as it is worth.

Nodes as often as one in `NODES_PER_SECOND` takes, since each look fetches all of them; what other
people's pods hold each `PODS_SECONDS`. What was seen last stays while the API server is away.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, Forbidden
from penstock_operator.cluster.client import Document
from penstock_operator.cluster.workloads import all_nodes, gpu_readings, pods_on
from penstock_operator.ollama.fleet import HOST_LABEL
from penstock_operator.ollama.gpus import NodeGpus
from penstock_operator.ollama.nodes import gpu_nodes, held_by, is_ready, nodes_of
from penstock_operator.ollama.planner.types import Node

NODES_SECONDS: Final = 5.0
NODES_PER_SECOND: Final = 50
PODS_SECONDS: Final = 30.0
OURS_SECONDS: Final = 30.0
"""So long what our last pod on a node held may still show there."""
BACK_SECONDS: Final = 60.0
"""So long pods have to be ready again on a node that is."""
NOT_PERMITTED: Final = (
    "the operator may not list nodes: give it the right, as the chart does with ollama.namespaces"
)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hardware:
    """`nodes` of `None`: they cannot be seen, and `why` says why."""

    nodes: tuple[Node, ...] | None = ()
    hostnames: Mapping[str, str] = field(default_factory=dict)
    dead: frozenset[str] = frozenset()
    """Nodes that are not ready: whoever runs there serves nobody."""
    lost: frozenset[str] = frozenset()
    """Those, and the ones that were not ready within `BACK_SECONDS`."""
    why: str = ""


class HardwareLooks:
    """`clock` runs evenly; `wall_clock` tells the time of day."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._clock = clock
        self._wall_clock = wall_clock
        self._documents: list[Document] | None = None
        self._why = ""
        self._readings: Mapping[str, NodeGpus] = {}
        self._held: Mapping[str, Mapping[str, int]] = {}
        self._dead_at: dict[str, float] = {}
        self._ours_at: dict[str, float] = {}
        self._nodes_due = self._pods_due = float("-inf")

    async def look(self, ours: Iterable[str]) -> Hardware:
        """`ours`: nodes on which our pods hold GPUs."""
        now = self._clock()
        self._ours_at = _recent(self._ours_at, ours, now, OURS_SECONDS)
        if now >= self._nodes_due:
            await self._look_at_nodes()
            self._nodes_due = now + max(
                NODES_SECONDS, len(self._documents or ()) / NODES_PER_SECOND
            )
        if self._documents is None:
            return Hardware(None, why=self._why)
        if now >= self._pods_due:
            await self._look_at_pods(gpu_nodes(self._documents))
            self._pods_due = now + PODS_SECONDS
        return self._hardware(self._documents)

    def _hardware(self, documents: list[Document]) -> Hardware:
        labels = {d["metadata"]["name"]: d["metadata"]["labels"] for d in documents}
        dead = frozenset(d["metadata"]["name"] for d in documents if not is_ready(d))
        return Hardware(
            nodes_of(documents, self._fresh(self._readings), self._held, self._ours_at),
            {name: found[HOST_LABEL] for name, found in labels.items() if HOST_LABEL in found},
            dead,
            self._lost(dead, labels),
        )

    def _lost(self, dead: frozenset[str], nodes: Mapping[str, object]) -> frozenset[str]:
        """One that is deleted is not awaited."""
        self._dead_at = _recent(self._dead_at, dead, self._clock(), BACK_SECONDS)
        return frozenset(self._dead_at.keys() & nodes)

    def _fresh(self, readings: Mapping[str, NodeGpus]) -> Mapping[str, NodeGpus]:
        moment = self._wall_clock()
        return {name: said for name, said in readings.items() if said.is_fresh(moment)}

    async def _look_at_nodes(self) -> None:
        try:
            self._documents = await all_nodes(self._cluster)
            found = await gpu_readings(self._cluster, self._namespace)
            # An agent's ConfigMap goes and comes with its pod: what it said holds until it is old.
            self._readings = self._fresh({**self._readings, **found})
        except Forbidden as error:
            self._why = NOT_PERMITTED
            logger.warning("fleet.nodes_not_permitted", extra={"error": str(error)})
        except ClusterError as error:
            self._why = "the API server did not say which nodes there are: see the operator's log"
            logger.warning("fleet.nodes_not_read", extra={"error": str(error)})

    async def _look_at_pods(self, nodes: list[str]) -> None:
        try:
            self._held = held_by(await pods_on(self._cluster, nodes))
        except ClusterError as error:  # who may not see them leaves it to the scheduler
            level = logging.DEBUG if isinstance(error, Forbidden) else logging.WARNING
            logger.log(level, "fleet.pods_not_read", extra={"error": str(error)})


def _recent(
    former: Mapping[str, float], seen: Iterable[str], now: float, seconds: float
) -> dict[str, float]:
    """Names, each with when it was seen last, without those that were not for so long."""
    found = {**former, **dict.fromkeys(seen, now)}
    return {name: at for name, at in found.items() if now - at < seconds}
