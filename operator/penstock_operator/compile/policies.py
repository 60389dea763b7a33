"""`RoutePolicy` into the contract's `Policy`. What cannot be resolved denies; it never opens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from penstock_config import policy as config
from penstock_config.compression import Compression as CompressionConfig
from penstock_config.policy import Policy, Target
from penstock_operator.api.identity import Identity
from penstock_operator.api.reference import ObjectReference
from penstock_operator.api.route_policy import CallerLimit, RoutePolicy
from penstock_operator.api.route_prompt import Compression, Memory
from penstock_operator.api.route_rule import Match, Overrides, Retry
from penstock_operator.compile.caching import cache_of
from penstock_operator.compile.checks import check_object, first_error
from penstock_operator.compile.labels import selector_of
from penstock_operator.compile.not_yet_enforced import has_unenforced_condition
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.providers import rate_limits
from penstock_operator.compile.queues import queue_of
from penstock_operator.compile.references import Catalogue, Unresolved, find_tier
from penstock_operator.compile.tiers import EMPTY_TIER, BuiltTier, with_fallbacks

REFUSED_RULE: Final = "refused"
"""Name of the rule that denies everything under a policy that is refused."""

Order = tuple[int, datetime, str]
"""Sorts the policies of a namespace: highest precedence, then oldest, then name."""


@dataclass(frozen=True, slots=True)
class BuiltPolicy:
    """A policy as sidecars get it (its `sidecars` not yet counted), and what is wrong with it."""

    namespace: str
    config: Policy
    order: Order
    suspended: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a rule or the default leads. A problem with an error denies."""

    target: Target
    problem: Problem | None = None


def build_policy(
    policy: RoutePolicy, catalogue: Catalogue, tiers: Mapping[str, BuiltTier]
) -> BuiltPolicy:
    """The policy and everything that is wrong with it."""
    if unparsed := catalogue.refused.get(ref_of(policy)):
        return _built(policy, _refusing(policy, unparsed), ())
    faults = check_object(policy)
    lines = _lines(policy, catalogue, tiers)
    refusal = first_error(faults)
    found = _refusing(policy, refusal) if refusal else _config(policy, lines, tiers)
    return _built(
        policy, found, (*faults, *(line.problem for line in lines.values() if line.problem))
    )


def _built(policy: RoutePolicy, found: Policy, problems: tuple[Problem, ...]) -> BuiltPolicy:
    return BuiltPolicy(
        namespace=policy.metadata.namespace,
        config=found,
        order=_order(policy),
        suspended=policy.spec.suspended,
        problems=problems,
    )


def _order(policy: RoutePolicy) -> Order:
    created = policy.metadata.creation_timestamp
    aware = created if created.tzinfo else created.replace(tzinfo=UTC)
    return -policy.spec.precedence, aware, policy.metadata.name


def _refusing(policy: RoutePolicy, refusal: Problem) -> Policy:
    """It keeps its pods, so that no other policy takes them, and denies what they ask."""
    denied = Target(denied=f"RoutePolicy {policy.id} is refused: {refusal.text}")
    return Policy(
        id=policy.id,
        selector=selector_of(policy.spec.selector),
        rules=(config.Rule(name=REFUSED_RULE, target=denied),),
        default=denied,
        tiers=(),
    )


def _lines(
    policy: RoutePolicy, catalogue: Catalogue, tiers: Mapping[str, BuiltTier]
) -> Mapping[str, _Line]:
    """Every rule and the default, by path, in order of mention."""
    spec = policy.spec
    lines: dict[str, _Line] = {}
    for index, rule in enumerate(spec.rules):
        if rule.tier is not None:
            path = f"spec.rules[{index}].tier"
            lines[path] = _to_tier(policy, rule.tier, path, catalogue, tiers)
    if spec.default_tier is not None:
        path = "spec.defaultTier"
        lines[path] = _to_tier(policy, spec.default_tier, path, catalogue, tiers)
    models = _models(_reachable(lines.values(), tiers), tiers)
    for index, rule in enumerate(spec.rules):
        if rule.model is not None:
            path = f"spec.rules[{index}].model"
            lines[path] = _to_model(policy, rule.model, path, models)
    return lines


def _to_tier(
    policy: RoutePolicy,
    ref: ObjectReference,
    path: str,
    catalogue: Catalogue,
    tiers: Mapping[str, BuiltTier],
) -> _Line:
    object_ = ref_of(policy)
    found = find_tier(ref, policy.metadata.namespace, catalogue)
    if isinstance(found, Unresolved):
        return _denied(Problem(object_, "ResolvedRefs", found.reason, found.message, path=path))
    if tiers[found.id].config.candidates:
        return _Line(Target(tier=found.id))
    message = EMPTY_TIER.format(found.id)
    empty = Problem(object_, "ResolvedRefs", "TierUnavailable", message, "warning", path)
    return _Line(Target(tier=found.id), empty)


def _to_model(policy: RoutePolicy, model: str, path: str, models: frozenset[str]) -> _Line:
    if model in models:
        return _Line(Target(model=model))
    message = (
        f"no tier that the policy names can serve model {model}: name a tier that has it, in a"
        " rule or as defaultTier"
    )
    return _denied(Problem(ref_of(policy), "ResolvedRefs", "ModelNotFound", message, path=path))


def _denied(problem: Problem) -> _Line:
    return _Line(Target(denied=f"{problem.object}, {problem.text}"), problem)


def _reachable(lines: Iterable[_Line], tiers: Mapping[str, BuiltTier]) -> tuple[str, ...]:
    mentioned = [line.target.tier for line in lines if line.target.tier is not None]
    return with_fallbacks(mentioned, tiers)


def _models(ids: Iterable[str], tiers: Mapping[str, BuiltTier]) -> frozenset[str]:
    return frozenset(c.model for id_ in ids for c in tiers[id_].config.candidates)


def _config(
    policy: RoutePolicy, lines: Mapping[str, _Line], tiers: Mapping[str, BuiltTier]
) -> Policy:
    spec = policy.spec
    default = lines.get("spec.defaultTier")
    return Policy(
        id=policy.id,
        selector=selector_of(spec.selector),
        rules=_rules(policy, lines),
        default=default.target if default else None,
        tiers=_reachable(lines.values(), tiers),
        identity=_identity(spec.identity),
        limits=tuple(_caller_limit(limit) for limit in spec.limits),
        request_priority=spec.request_priority,
        cache=cache_of(spec.cache),
        retry=_retry(spec.retry),
        compression=_compression(spec.compression),
        memory=_memory(spec.memory),
        images=config.Images(max_side_pixels=spec.images.max_side_pixels) if spec.images else None,
        personal_data=spec.personal_data,
        on_redis_loss=spec.on_redis_loss,
    )


def _rules(policy: RoutePolicy, lines: Mapping[str, _Line]) -> tuple[config.Rule, ...]:
    """Those whose conditions sidecars can judge: the others would match more than they say."""
    rules = []
    for index, rule in enumerate(policy.spec.rules):
        if not has_unenforced_condition(rule.match):
            line = lines[f"spec.rules[{index}].{'model' if rule.model is not None else 'tier'}"]
            rules.append(
                config.Rule(
                    name=rule.name,
                    match=_match(rule.match),
                    target=line.target,
                    overrides=_overrides(rule.overrides or Overrides()),
                )
            )
    return tuple(rules)


def _match(match: Match) -> config.Match:
    return config.Match(
        models=match.models,
        users=match.users,
        headers=tuple(
            config.HeaderMatch(name=header.name.lower(), value=header.value)
            for header in match.headers
        ),
        max_input_tokens=match.max_input_tokens,
        modalities=match.modalities,
        tasks=match.tasks,
        complexity=match.complexity,
    )


def _overrides(overrides: Overrides) -> config.Overrides:
    return config.Overrides(
        timeout_seconds=overrides.timeout_seconds,
        max_output_tokens=overrides.max_output_tokens,
        cache_bypassed=overrides.cache == "Bypass",
        retry=_retry(overrides.retry) if overrides.retry else None,
    )


def _retry(retry: Retry) -> config.Retry:
    return config.Retry(attempts=retry.attempts, backoff_ms=retry.backoff_ms)


def _memory(memory: Memory | None) -> config.Memory | None:
    if memory is None:
        return None
    return config.Memory(
        messages=memory.messages,
        idle_seconds=memory.idle_seconds,
        summarise=memory.summarise,
    )


def _identity(identity: Identity) -> config.Identity:
    return config.Identity(
        user_from=tuple(
            config.UserSource(
                kind=source.type, name=source.header.name.lower() if source.header else None
            )
            for source in identity.user_from
        ),
        required=identity.required,
        max_subjects=identity.max_subjects,
    )


def _caller_limit(limit: CallerLimit) -> config.CallerLimit:
    return config.CallerLimit(
        name=limit.name,
        per=limit.per,
        header=limit.header.name.lower() if limit.header else None,
        limits=rate_limits(limit),
        weight=limit.weight,
        reserved_percent=limit.reserved_percent,
        on_exceeded=limit.on_exceeded,
        queue=queue_of(limit.queue),
        shadow=limit.shadow,
        lease=limit.lease,
    )


def _compression(found: Compression | None) -> CompressionConfig | None:
    if found is None:
        return None
    return CompressionConfig(
        whitespace=bool(found.whitespace),
        duplicates=bool(found.duplicates),
        boilerplate=bool(found.boilerplate),
        tool_outputs=bool(found.tool_outputs),
        max_history_tokens=found.max_history_tokens,
        include_last_turn=found.include_last_turn,
    )
