"""How a tier chooses among its candidates, in the contract's words; the judge is resolved here.

A judge that cannot be had takes nothing else away: sidecars do as if it had not answered, and the
tier says why.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from penstock_config import tier as config
from penstock_config.classification import COMPLEXITIES, Complexity
from penstock_operator.api import model_tier as api
from penstock_operator.compile.candidates import Dropped, offered
from penstock_operator.compile.money import micro_usd
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.references import Catalogue
from penstock_operator.compile.scales import percent, tenths

MEANWHILE: Final = "; until then the answer that is nearest to the others is given"
SILENT: Final = "model {} of LLMProvider {} is not for chat: name one that is"


class _ByComplexity(Protocol):
    @property
    def complexity(self) -> Complexity: ...


T = TypeVar("T", bound=_ByComplexity)


@dataclass(frozen=True, slots=True)
class BuiltEnsemble:
    """What sidecars are told of it, and what is wrong with its judge."""

    entry: config.Ensemble | None = None
    problems: tuple[Problem, ...] = ()


def floors_of(spec: api.ModelTierSpec) -> tuple[config.Floor, ...]:
    return tuple(
        config.Floor(
            complexity=floor.complexity,
            min_quality=None if floor.min_quality is None else tenths(floor.min_quality),
            max_cost=None if floor.max_cost_usd is None else micro_usd(floor.max_cost_usd),
            max_latency_ms=floor.max_latency_ms,
        )
        for floor in _from_easy_to_hard(spec.floors)
    )


def timeouts_of(spec: api.ModelTierSpec) -> tuple[config.TierTimeout, ...]:
    return tuple(
        config.TierTimeout(complexity=timeout.complexity, seconds=timeout.seconds)
        for timeout in _from_easy_to_hard(spec.timeouts)
    )


def hedge_of(spec: api.ModelTierSpec) -> config.Hedge | None:
    if (hedge := spec.hedge) is None:
        return None
    return config.Hedge(
        after_ms=hedge.after_ms,
        after_percentile=hedge.after_percentile,
        when_headroom_below_percent=hedge.when_headroom_below_percent,
        max_extra_percent=hedge.max_extra_percent,
    )


def build_ensemble(
    tier: api.ModelTier, catalogue: Catalogue, providers: Mapping[str, BuiltProvider]
) -> BuiltEnsemble:
    """With the judge, where there is one and it can be had."""
    if (wanted := tier.spec.ensemble) is None:
        return BuiltEnsemble()
    found = _judge(tier, wanted.judge, catalogue, providers) if wanted.judge else None
    judge = found if isinstance(found, config.Judge) else None
    made = config.Ensemble(
        sizes=tuple(
            config.EnsembleSize(complexity=size.complexity, min=size.min, max=size.max)
            for size in _from_easy_to_hard(wanted.sizes)
        ),
        quorum=wanted.quorum,
        consensus=wanted.consensus,
        judge=judge,
        min_agreement_percent=(
            None if wanted.min_agreement is None else percent(wanted.min_agreement)
        ),
    )
    problems = (_no_judge(tier, found),) if isinstance(found, Dropped) else ()
    return BuiltEnsemble(made, problems)


def _judge(
    tier: api.ModelTier,
    judge: api.Judge,
    catalogue: Catalogue,
    providers: Mapping[str, BuiltProvider],
) -> config.Judge | Dropped:
    namespace = tier.metadata.namespace
    found = offered(judge.provider, judge.model, namespace, catalogue, providers)
    if isinstance(found, Dropped):
        return found
    if "chat" not in found.model.capabilities:
        cause = SILENT.format(judge.model, found.provider.id)
        return Dropped(cause, "ModelNotFound", field="model")
    return config.Judge(provider=found.provider.id, model=judge.model)


def _no_judge(tier: api.ModelTier, dropped: Dropped) -> Problem:
    """Also where it is suspended: what decides is then another than the author named."""
    ref, message = ref_of(tier), dropped.cause + MEANWHILE
    path = f"spec.ensemble.judge.{dropped.field}".removesuffix(".")
    if dropped.reason in {None, "CandidateUnavailable"}:
        return Problem(ref, "ResolvedRefs", "JudgeUnavailable", message, "warning", path)
    return Problem(ref, "ResolvedRefs", dropped.reason, message, dropped.severity, path)


def _from_easy_to_hard(items: Iterable[T]) -> list[T]:
    """Keyed lists have no order of their own, and API servers may change it."""
    return sorted(items, key=lambda item: COMPLEXITIES.index(item.complexity))
