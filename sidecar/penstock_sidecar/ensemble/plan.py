"""Which requests several models answer, and how: worked out once per configuration."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from penstock_config.classification import Complexity, Task
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Ensemble, EnsembleSize, Tier
from penstock_sidecar.ensemble.gpu import GpuMemory
from penstock_sidecar.ensemble.reading import READERS
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.personal_data import held
from penstock_sidecar.routing.scores import Kind

SECONDS: Final[Mapping[Complexity, int]] = MappingProxyType(
    {"simple": 30, "medium": 45, "complex": 90, "expert": 120}
)
"""Where the tier names none."""
DELIBERATION: Final = 0.2
"""Of the time: kept for whoever has to be asked about the answers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """For one tier's requests of one complexity."""

    tier: Tier
    ensemble: Ensemble
    size: EnsembleSize
    seconds: float
    """Over all, the judge included."""
    judge: Candidate | None
    embedders: tuple[Candidate, ...]
    """Who of the policy's candidates may make vectors of answers."""

    @property
    def counts(self) -> bool:
        """Answers are counted, and compared by nobody else."""
        return self.ensemble.consensus == "Majority"

    def gathered_at(self, now: float, until: float) -> float:
        """When answers are waited for no longer, where all must be over by `until`."""
        return until if self.counts else until - (until - now) * DELIBERATION

    def quorum(self, asked: int) -> int:
        """Answers that end the wait, of so many asked at first."""
        return min(self.ensemble.quorum or asked // 2 + 1, asked)


class Votes(Protocol):
    """Who learns from disagreement: the scores of models by task."""

    def feedback(self, candidate_label: str, task: Task, kind: Kind) -> None: ...


class Ensembles:
    """Those of one policy, and what they share. `votes` is None where nothing goes by scores."""

    def __init__(
        self, config: SidecarConfig, policy: Policy, gpu: GpuMemory, votes: Votes | None
    ) -> None:
        self.gpu = gpu
        self.votes = votes
        self._personal_data = policy.personal_data
        known = {tier.id: tier for tier in config.tiers}
        candidates = _Candidates(config)
        self._plans: dict[tuple[str, Complexity], Plan] = {}
        embedders = candidates.embedders(known[id_] for id_ in policy.tiers)
        for id_ in policy.tiers:
            for plan in _plans(known[id_], candidates, embedders):
                self._plans[f"tier:{id_}", plan.size.complexity] = plan

    def plan(self, target: str, request: Request, complexity: Complexity) -> Plan | None:
        """None where one model answers, as usual. `target` is a route's."""
        if not self._plans:
            return None
        found = self._plans.get((target, complexity))
        return found if found and comparable(request) else None

    def may_get(self, candidate: Candidate, request: Request) -> bool:
        """Whether someone may be told of a request beside its own candidates."""
        return candidate.provider.may_send_personal_data or not held(request, self._personal_data)


def comparable(request: Request) -> bool:
    """One text answers it. There is no consensus over vectors, counts and sounds; several choices
    are meant to differ; and calls of tools are acts, not opinions: one model has to lead them."""
    sounds = request.document.get("modalities")
    return (
        request.api in READERS
        and not request.tools
        and request.choices == 1
        and not (isinstance(sounds, list) and "audio" in sounds)
    )


def _plans(
    tier: Tier, candidates: "_Candidates", embedders: tuple[Candidate, ...]
) -> Iterator[Plan]:
    """None for a size of one: that is one model as usual."""
    ensemble = tier.ensemble
    if ensemble is None:
        return
    named = {each.complexity: each.seconds for each in tier.timeouts}
    judge = candidates.judge(tier, ensemble)
    for size in ensemble.sizes:
        if max(size.min, size.max) > 1:
            seconds = named.get(size.complexity, SECONDS[size.complexity])
            yield Plan(tier, ensemble, size, seconds, judge, embedders)


class _Candidates:
    """Beside those of routes: who is asked about answers."""

    def __init__(self, config: SidecarConfig) -> None:
        self._providers = {provider.id: provider for provider in config.providers}
        self._models = {(p.id, model.name): model for p in config.providers for model in p.models}

    def judge(self, tier: Tier, ensemble: Ensemble) -> Candidate | None:
        """None where nobody judges."""
        wanted = ensemble.judge
        if ensemble.consensus != "Judge" or wanted is None:
            return None
        return self._candidate(tier, wanted.provider, wanted.model)

    def embedders(self, tiers: Iterable[Tier]) -> tuple[Candidate, ...]:
        """Each once, in the order of the tiers."""
        found: dict[str, Candidate] = {}
        for tier in tiers:
            for each in tier.candidates:
                candidate = self._candidate(tier, each.provider, each.model)
                if "embeddings" in candidate.model.capabilities:
                    found.setdefault(candidate.label, candidate)
        return tuple(found.values())

    def _candidate(self, tier: Tier, provider_id: str, model_name: str) -> Candidate:
        model = self._models[provider_id, model_name]
        return Candidate(self._providers[provider_id], model, tier.name, tier.id)
