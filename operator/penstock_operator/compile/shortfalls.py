"""What a tier asks of its candidates that they cannot give: warnings, for its author may not know.

About the candidates that are left, so that taking a provider out of use is told here too. What only
time can tell (latencies, the cost of a request) is judged by what is said of it now.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.provider import RateLimits
from penstock_config.tier import Candidate
from penstock_operator.api.model_tier import Floor, ModelTier
from penstock_operator.compile.candidates import Offered
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason
from penstock_operator.compile.scales import TENTHS, tenths

MAX_NAMED: Final = 3
"""Models that a message names; it has to stay one sentence."""
NO_SECOND: Final = "needs a second candidate of the tier, and one can serve: add one, or remove it"
ONE_ANSWERS: Final = "needs several candidates, and one can serve: add models, or remove it"
TOO_MANY: Final = "is {}, and {} of the tier can serve, so that {}: add models, or lower it"
NO_MORE: Final = "no more than these answer"
FILLED_UP: Final = "models of the fallback tiers answer with them"
UNMET: Final = (
    "no candidate offers that, so that such requests {}: {}: lower it, or add a model that does"
)
CHEAPEST: Final = "are served by the cheapest"
REFUSED: Final = "are refused"
ELSEWHERE: Final = "go to the fallback tiers, or else "
NO_FLOORS: Final = "has no effect without floors: add some, or remove it"
UNRATED: Final = "{} never meets one with minQuality, as its quality is unknown: set quality there"
UNPRICED: Final = "{} never meets one with maxCostUSD, as its price is unknown: set price there"
ASKED_LAST: Final = "is LeastCost, and the price of {} is unknown: set price there"
UNBOUNDED: Final = (
    "is MostHeadroom, and of {} no limits are known, so that all is left until the provider says"
    " otherwise: set limits there"
)
NOBODY_BOUNDED: Final = (
    "has no effect, as no limits of any candidate are known: set limits there, or remove it"
)
ALONE: Final = (
    "is {}, which chooses among candidates of one priority, and no two have the same: make some"
    " equal, or remove it"
)
NO_SHARES: Final = "counts with strategy Weighted alone, and it is {}: remove one of the two"


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate with what its provider says of it."""

    candidate: Candidate
    offered: Offered

    @property
    def priced(self) -> bool:
        """Whether a request's cost can be told before it is made."""
        provider, model = self.offered.provider, self.offered.model
        highest = provider.on_unknown_price == "UseHighest" and any(
            m.price for m in provider.models
        )
        return bool(model.price) or highest or provider.on_unknown_price == "Free"

    @property
    def bounded(self) -> bool:
        none = RateLimits()
        return any(
            limits.model_copy(update={"pacing": none.pacing}) != none
            for limits in (self.offered.provider.limits, self.offered.model.limits)
        )


def shortfalls(tier: ModelTier, choices: Sequence[Choice]) -> Iterator[Problem]:
    """At least one choice; a tier without any says so itself."""
    yield from _of_strategy(tier, choices)
    yield from _of_floors(tier, choices)
    yield from _of_hedge(tier, choices)
    yield from _of_ensemble(tier, choices)


def _of_strategy(tier: ModelTier, choices: Sequence[Choice]) -> Iterator[Problem]:
    strategy, path = tier.spec.strategy, "spec.strategy"
    if strategy == "Weighted":
        return
    equals = Counter(choice.candidate.priority for choice in choices)
    if max(equals.values()) == 1:
        yield _warning(tier, "NoEffect", path, ALONE.format(strategy))
    elif strategy == "LeastCost" and (unpriced := [c for c in choices if not c.priced]):
        yield _warning(tier, "FigureUnknown", path, ASKED_LAST.format(_named(unpriced)))
    elif strategy == "MostHeadroom" and (free := [c for c in choices if not c.bounded]):
        yield _warning(tier, "FigureUnknown", path, UNBOUNDED.format(_named(free)))
    for index, model in enumerate(tier.spec.models):
        if model.weight > 1:
            path = f"spec.models[{index}].weight"
            yield _warning(tier, "NoEffect", path, NO_SHARES.format(strategy))


def _of_floors(tier: ModelTier, choices: Sequence[Choice]) -> Iterator[Problem]:
    floors = tier.spec.floors
    if not floors and tier.spec.on_no_fit == "Reject":
        yield _warning(tier, "NoEffect", "spec.onNoFit", NO_FLOORS)
    outcome = ELSEWHERE if tier.spec.fallback_tiers else ""
    outcome += REFUSED if tier.spec.on_no_fit == "Reject" else CHEAPEST
    for index, floor in enumerate(floors):
        lacking = [(choice, next(_lacks(choice, floor), None)) for choice in choices]
        if all(lack for _, lack in lacking):
            said = [f"{choice.offered} has {lack}" for choice, lack in lacking]
            message = UNMET.format(outcome, _listed(said, "; "))
            yield _warning(tier, "FloorUnmet", f"spec.floors[{index}]", message)
    unrated = [choice for choice in choices if choice.offered.model.quality is None]
    if unrated and any(floor.min_quality is not None for floor in floors):
        yield _warning(tier, "FigureUnknown", "spec.floors", UNRATED.format(_named(unrated)))
    unpriced = [choice for choice in choices if not choice.priced]
    if unpriced and any(floor.max_cost_usd is not None for floor in floors):
        yield _warning(tier, "FigureUnknown", "spec.floors", UNPRICED.format(_named(unpriced)))


def _lacks(choice: Choice, floor: Floor) -> Iterator[str]:
    model = choice.offered.model
    if floor.min_quality is not None and model.quality is None:
        yield "an unknown quality"
    elif floor.min_quality is not None and (model.quality or 0) < tenths(floor.min_quality):
        yield f"quality {(model.quality or 0) / TENTHS}"
    if floor.max_cost_usd is not None and not choice.priced:
        yield "an unknown price"
    if floor.max_latency_ms is not None and floor.max_latency_ms < (model.expected_latency_ms or 0):
        yield f"an expected latency of {model.expected_latency_ms} ms"


def _of_hedge(tier: ModelTier, choices: Sequence[Choice]) -> Iterator[Problem]:
    if (hedge := tier.spec.hedge) is None:
        return
    if len(choices) == 1:
        yield _warning(tier, "NoEffect", "spec.hedge", NO_SECOND)
    elif hedge.when_headroom_below_percent and not any(choice.bounded for choice in choices):
        path = "spec.hedge.whenHeadroomBelowPercent"
        yield _warning(tier, "NoEffect", path, NOBODY_BOUNDED)


def _of_ensemble(tier: ModelTier, choices: Sequence[Choice]) -> Iterator[Problem]:
    if (ensemble := tier.spec.ensemble) is None:
        return
    if len(choices) == 1 and not tier.spec.fallback_tiers:
        yield _warning(tier, "NoEffect", "spec.ensemble", ONE_ANSWERS)
        return
    outcome = FILLED_UP if tier.spec.fallback_tiers else NO_MORE
    wanted = {f"sizes[{index}].min": size.min for index, size in enumerate(ensemble.sizes)}
    if not tier.spec.fallback_tiers:
        wanted["quorum"] = ensemble.quorum or 1
    for place, count in wanted.items():
        if count > len(choices):
            message = TOO_MANY.format(count, len(choices), outcome)
            yield _warning(tier, "TooFewCandidates", f"spec.ensemble.{place}", message)


def _named(choices: Sequence[Choice]) -> str:
    return _listed([str(choice.offered) for choice in choices], ", ")


def _listed(items: Sequence[str], between: str) -> str:
    more = len(items) - MAX_NAMED
    return between.join(items[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _warning(tier: ModelTier, reason: Reason, path: str, message: str) -> Problem:
    return Problem(ref_of(tier), "Enforced", reason, message, "warning", path)
