"""One provider's turn in a round: what is applied, what goes, what is said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_config.fleet import Fleet
from penstock_operator.api.ollama import Ollama
from penstock_operator.fleet.deciding import Decided, blocked_nodes, leaving, standings
from penstock_operator.fleet.documents import documents_of, unwanted
from penstock_operator.fleet.facts import Facts, Fault, memory_of, serving
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.page import Document, status_of
from penstock_operator.fleet.replicas import fleet_of
from penstock_operator.fleet.wanting import Moment, Wanting
from penstock_operator.handlers.fleet_acting import Acting
from penstock_operator.handlers.fleet_hardware import Hardware
from penstock_operator.handlers.fleet_sight import Run, Sight
from penstock_operator.handlers.fleet_telling import Telling
from penstock_operator.metrics import Metrics
from penstock_operator.ollama.workload.changes import pausable
from penstock_operator.ollama.workload.installation import Found, Installation
from penstock_operator.ollama.workload.names import unusable_name
from penstock_operator.ollama.workload.objects import objects_of

NOT_GRANTED: Final = (
    "The operator may run nothing in namespace {}: add it to the chart's value ollama.namespaces."
)
BYTES_PER_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Round:
    """All that was seen and decided."""

    now: Moment
    installation: Installation
    sight: Sight
    told: Mapping[str, tuple[Told, ...]]
    hardware: Hardware
    decided: Mapping[str, Decided]
    wanted: Mapping[str, int]

    def fleets(self, at: float) -> dict[str, Fleet]:
        """What sidecars are told, by provider's id. `at`: by Redis's clock."""
        return {
            id_: fleet_of(
                self.told[id_],
                (workload.group for workload in self.sight.workloads[id_].values()),
                self.wanted[id_],
                at,
                otherwise=_otherwise(decided),
            )
            for id_, decided in self.decided.items()
        }

    def blocked(self) -> frozenset[str]:
        """Nodes on which anybody's planned pods wait for a GPU."""
        groups = [group for decided in self.decided.values() for group in decided.groups]
        pods = [told for those in self.told.values() for told in those]
        return blocked_nodes(groups, pods, self.now.wall)


class ProviderTurns:
    """The turns of one round."""

    def __init__(
        self,
        acting: Acting,
        telling: Telling,
        wanting: Mapping[str, Wanting],
        round_: Round,
    ) -> None:
        self._acting = acting
        self._telling = telling
        self._wanting = wanting
        self._round = round_
        self._blocked = round_.blocked()

    async def turn(self, run: Run, *, granted: bool) -> None:
        """Raises `ClusterError`."""
        ollama = run.provider.spec.ollama
        if ollama is None:
            if not granted or await self._cleared(run):
                await self._telling.tell(run.seen, {})
            return
        if not granted:
            text = NOT_GRANTED.format(run.provider.metadata.namespace)
            facts = Facts(run.seen.generation, ollama, 0, fault=("NamespaceNotGranted", text))
        else:
            facts = self._facts(run, ollama, await self._act(run))
        if run.seen.observed_generation == run.seen.generation:  # its conditions come first
            await self._telling.tell(run.seen, self._status(run, facts))

    async def _act(self, run: Run) -> Fault | None:
        if text := unusable_name(run.provider):
            return "NameUnusable", text
        round_, decided = self._round, self._round.decided[run.id]
        workloads = round_.sight.workloads[run.id]
        there = {name: workload.group for name, workload in workloads.items()}
        hardware, deployments = round_.hardware, round_.sight.deployments(run.id)
        pods = round_.told[run.id]
        standing = standings(decided.groups, there, pods, hardware.dead, hardware.lost)
        found = Found(
            hostnames=hardware.hostnames,
            deployments=deployments,
            claims=round_.sight.claims[run.id],
            pausable=pausable(standing),
        )
        documents = documents_of(run.provider, decided, round_.installation, found)
        fault = await self._acting.apply(run.provider, documents, found)
        rest = unwanted(run.provider, documents, round_.installation)
        await self._acting.remove(run.provider, rest)
        wanted = round_.wanted[run.id]
        going = leaving(decided.groups, there, standing, wanted=wanted, blocked=self._blocked)
        await self._acting.remove_groups(run.provider, going, deployments)
        refused = (workload.refused for workload in workloads.values() if workload.refused)
        return fault or next((("WorkloadRefused", text) for text in refused), None)

    async def _cleared(self, run: Run) -> bool:
        """Of a provider that we run no longer; whether nothing of it is left."""
        round_, deployments = self._round, self._round.sight.deployments(run.id)
        documents = [*objects_of(run.provider, (), {}, round_.installation)]
        documents += unwanted(run.provider, documents, round_.installation)
        await self._acting.remove(run.provider, documents)
        await self._acting.remove_groups(run.provider, deployments, deployments)
        return not deployments

    def _facts(self, run: Run, ollama: Ollama, fault: Fault | None) -> Facts:
        round_, decided = self._round, self._round.decided[run.id]
        if fault is None and ollama.gpu is not None and round_.hardware.nodes is None:
            fault = "NodesNotRead", round_.hardware.why
        return Facts(
            generation=run.seen.generation,
            ollama=ollama,
            wanted=round_.wanted[run.id],
            suspended=run.provider.spec.suspended,
            groups=decided.groups,
            unplaced=decided.unplaced,
            needs=decided.needs,
            unknown=decided.unknown,
            pods=round_.told[run.id],
            fault=fault,
            last_request=self._wanting[run.seen.uid].last_request(ollama, round_.now),
        )

    def _status(self, run: Run, facts: Facts) -> Document:
        moment = self._round.now.wall.replace(microsecond=0)
        return status_of(facts, self._telling.former(run.seen), moment)


def show(metrics: Metrics, round_: Round) -> None:
    """What there is, in figures."""
    metrics.fleet_replicas.clear()
    metrics.fleet_memory.clear()
    for id_, decided in round_.decided.items():
        figures = {
            "wanted": round_.wanted[id_],
            "ready": serving(round_.told[id_], decided.needs),
            "unplaced": sum(each.replicas for each in decided.unplaced),
        }
        for what, number in figures.items():
            metrics.fleet_replicas.labels(id_, what).set(number)
    groups = [group for decided in round_.decided.values() for group in decided.groups]
    for node, figures in memory_of(round_.hardware.nodes or (), groups).items():
        for what, mib in figures.items():
            metrics.fleet_memory.labels(node, what).set(mib * BYTES_PER_MIB)


def _otherwise(decided: Decided) -> str:
    """What is said to those who wait, while no pod says anything."""
    if decided.unplaced:
        return f"no place: {decided.unplaced[0].message}"
    return "starting" if any(group.replicas for group in decided.groups) else ""
