"""What probes and breakers say of a provider, its models, and the tiers that name them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from penstock_config.breaker import PROVIDER, Record, Standing
from penstock_config.provider import Provider
from penstock_config.tier import Tier
from penstock_operator.health.asking import Result
from penstock_operator.health.in_force import InForce
from penstock_operator.status import HealthReason

Verdict = tuple[Literal["True", "False", "Unknown"], HealthReason, str]
REASONS: Final[Mapping[str, str]] = {
    "provider_timeout": "TimedOut",
    "provider_rate_limited": "RateLimited",
    "provider_unavailable": "Unreachable",
    "provider_empty": "EmptyAnswers",
    "provider_stream_broken": "BrokenStreams",
}
"""By the `error_type` of the last failure."""
FAILING: Final = "Failing"
PROVIDER_FAILING: Final = "ProviderFailing"
MAX_NAMED: Final = 5

SUSPENDED: Final = "The LLMProvider is suspended, so that nobody asks it."
NOT_IN_USE: Final = "No RoutePolicy leads to it, so that nobody asks it, nor is it probed."
REDIS: Final = (
    "Redis, where sidecars say what they meet, does not answer the operator, or PENSTOCK_REDIS_URL"
    " is not set: see its log."
)
PROBES_FAILED: Final = (
    "{} probes in a row failed, the last: {}. All its models are asked last, until a probe or a"
    " request is answered."
)
REJECTED: Final = "A probe was answered 401: the provider does not know the key in its Secret."
OUT: Final = (
    "Out for failures in a row: {}. Others are asked first; after the cooldown one request tries"
    " it again."
)
ANSWERED: Final = "Its last probe was answered."
ANSWERING: Final = "Its last probe was answered, and no model fails."
PASSIVE: Final = "No model fails. It is not probed: {}."


@dataclass(frozen=True, slots=True)
class Probed:
    """The latest probe of a provider."""

    at: datetime
    result: Result
    said: str
    """Of one that failed: a status, or the kind of error. Never what the provider sent."""
    failures: int = 0
    """In a row."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one provider. `provider` is `None` where nobody asks it."""

    provider: Provider | None
    suspended: bool = False
    probed: Probed | None = None
    unprobed: str | None = None
    """Why it is not probed; `None` where it is."""
    standing: Standing | None = None
    """`None` where Redis does not tell."""

    @property
    def pending(self) -> bool:
        """It is to be probed, and was not yet."""
        asked = self.provider is not None and not self.suspended
        return asked and self.probed is None and self.unprobed is None


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """Whether requests go there now."""

    name: str
    available: bool
    reason: str | None = None


def models_of(facts: Facts) -> tuple[ModelHealth, ...]:
    """Each that is served; nothing where nobody asks the provider."""
    if facts.provider is None:
        return ()
    records = facts.standing.records if facts.standing else {}
    whole = _provider_is_out(facts)
    return tuple(_model(model.name, records, whole=whole) for model in facts.provider.models)


def verdict_of(facts: Facts) -> Verdict:
    """Worst first: what is known to fail is said before what is not known."""
    if facts.provider is None or facts.suspended:
        return "Unknown", "NotInUse", SUSPENDED if facts.suspended else NOT_IN_USE
    return _failing(facts, facts.provider) or _working(facts)


def _failing(facts: Facts, provider: Provider) -> Verdict | None:
    probed = facts.probed
    if _provider_is_out(facts):
        count, said = (probed.failures, probed.said) if probed else (0, "")
        most = max(count, provider.health.failure_threshold)
        return "False", "ProbesFailed", PROBES_FAILED.format(most, said or "no answer")
    if probed and probed.result == "rejected":
        return "False", "CredentialsRejected", REJECTED
    if out := [*_out(facts)]:
        more = f" and {len(out) - MAX_NAMED} more" if len(out) > MAX_NAMED else ""
        return "False", "ModelsFailing", OUT.format("; ".join(out[:MAX_NAMED]) + more)
    return None


def _working(facts: Facts) -> Verdict:
    if facts.standing is None and facts.probed is not None:
        return "True", "Answering", f"{ANSWERED} What sidecars meet is not known: {REDIS}"
    if facts.standing is None:
        return "Unknown", "HealthUnknown", REDIS
    if facts.unprobed is not None:
        return "True", "NotProbed", PASSIVE.format(facts.unprobed)
    return "True", "Answering", ANSWERING


@dataclass(frozen=True, slots=True)
class CandidateHealth:
    """One line of a tier."""

    provider: str
    model: str
    available: bool
    reason: str | None = None


def candidates_of(
    named: Sequence[tuple[str, str]],
    tier: Tier | None,
    now: InForce,
    models: Mapping[str, Sequence[ModelHealth]],
) -> tuple[CandidateHealth, ...] | None:
    """`named` are those of the tier's spec, by provider and model; `None` where no policy leads to
    the tier, so that nobody asked whether its references resolve."""
    if tier is None:
        return None
    serving = {(each.provider, each.model) for each in tier.candidates}
    return tuple(_candidate(each, each in serving, now, models) for each in named)


def _candidate(
    each: tuple[str, str],
    serves: bool,  # noqa: FBT001  # said by its name
    now: InForce,
    models: Mapping[str, Sequence[ModelHealth]],
) -> CandidateHealth:
    provider, model = each
    if not serves or provider not in now.providers:
        return CandidateHealth(provider, model, available=False, reason="NotServed")
    health = next((found for found in models.get(provider, ()) if found.name == model), None)
    if health is None or health.available:
        return CandidateHealth(provider, model, available=True)
    return CandidateHealth(provider, model, available=False, reason=health.reason)


def _provider_is_out(facts: Facts) -> bool:
    """As sidecars see it; without Redis as our own probes do."""
    if facts.standing is None:
        threshold = facts.provider.health.failure_threshold if facts.provider else 0
        return facts.probed is not None and 0 < threshold <= facts.probed.failures
    record = facts.standing.records.get(PROVIDER)
    return record is not None and (record.until_ms or 0) > facts.standing.now


def _model(name: str, records: Mapping[str, Record], *, whole: bool) -> ModelHealth:
    if whole:
        return ModelHealth(name, available=False, reason=PROVIDER_FAILING)
    for field, record in sorted(records.items()):
        if record.until_ms is not None and field.partition("/")[2] == name:
            return ModelHealth(name, available=False, reason=reason_of(record))
    return ModelHealth(name, available=True)


def reason_of(record: Record) -> str:
    return REASONS.get(record.reason or "", FAILING)


def _out(facts: Facts) -> Iterator[str]:
    """Such as `small (chat, TimedOut)`."""
    names = {model.name for model in facts.provider.models} if facts.provider else set()
    for field, record in sorted((facts.standing.records if facts.standing else {}).items()):
        endpoint, _, model = field.partition("/")
        if record.until_ms is not None and model in names:
            yield f"{model} ({endpoint}, {reason_of(record)})"
