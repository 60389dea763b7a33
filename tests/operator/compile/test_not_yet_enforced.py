"""Every field of a resource either has an effect or is a warning; none is silently accepted."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from penstock_operator.compile.not_yet_enforced import FIELDS, not_yet_enforced
from penstock_operator.compile.parse import KINDS
from tests.operator.compile.documents import policy

ENFORCED: Final = {
    "LLMProvider": {
        "spec.preset",
        "spec.type",
        "spec.baseURL",
        "spec.credentials.secretRefs",
        "spec.credentials.scheme",
        "spec.credentials.name",
        "spec.credentials.entra",
        "spec.azure",
        "spec.tls",
        "spec.proxyURL",
        "spec.proxySecretRef",
        "spec.plan",
        "spec.headers",
        "spec.suspended",
        "spec.models[].name",
        "spec.models[].upstreamName",
        "spec.models[].suspended",
        "spec.models[].capabilities",
        "spec.models[].contextWindow",
        "spec.models[].maxOutputTokens",
        "spec.models[].price",
        "spec.models[].quality",
        "spec.models[].expectedLatencyMs",
        "spec.models[].limits.pacing",
        "spec.limits.pacing",
        "spec.health.intervalSeconds",
        "spec.health.failureThreshold",
        "spec.health.cooldownSeconds",
        "spec.timeouts",
        "spec.dataPolicy",
        "spec.onUnknownPrice",
        "spec.onDisconnect",
        "spec.drain",
        "spec.allowedNamespaces",
        "spec.ollama",
    },
    "ModelTier": {
        "spec.models",
        "spec.priority",
        "spec.strategy",
        "spec.floors",
        "spec.onNoFit",
        "spec.timeouts",
        "spec.hedge",
        "spec.ensemble",
        "spec.fallbackTiers",
        "spec.whenSaturated",
        "spec.queue",
        "spec.allowedNamespaces",
    },
    "RoutePolicy": {
        "spec.selector",
        "spec.personalData",
        "spec.precedence",
        "spec.suspended",
        "spec.rules[].name",
        "spec.rules[].match.models",
        "spec.rules[].match.users",
        "spec.rules[].match.headers",
        "spec.rules[].match.modalities",
        "spec.rules[].match.maxInputTokens",
        "spec.rules[].match.tasks",
        "spec.rules[].match.complexity",
        "spec.rules[].overrides",
        "spec.rules[].tier",
        "spec.rules[].model",
        "spec.defaultTier",
        "spec.identity.userFrom",
        "spec.identity.required",
        "spec.limits[].name",
        "spec.limits[].per",
        "spec.limits[].header",
        "spec.limits[].shadow",
        "spec.limits[].weight",
        "spec.limits[].reservedPercent",
        "spec.limits[].onExceeded",
        "spec.limits[].queue",
        "spec.limits[].lease",
        "spec.requestPriority",
        "spec.identity.maxSubjects",
        "spec.cache.exact",
        "spec.cache.normalised",
        "spec.cache.semantic",
        "spec.cache.countHitsAgainstLimits",
        "spec.cache.refreshAheadPercent",
        "spec.cache.warm",
        "spec.compression",
        "spec.cache.scope",
        "spec.cache.requireDeterministic",
        "spec.cache.maxEntryBytes",
        "spec.retry",
        "spec.memory",
        "spec.images",
        "spec.onRedisLoss",
    },
    "Budget": {
        "spec.scope",
        "spec.limits",
        "spec.perUser",
        "spec.timeZone",
        "spec.alertThresholdsPercent",
        "spec.onExceeded",
        "spec.downgrade",
        "spec.boost",
        "spec.statusOnReject",
        "spec.unsettledAgeOutHours",
        "spec.notify",
    },
}
"""What the contract carries, by hand: a new field must be put here or into `FIELDS`."""
RATES: Final = {
    "requestsPerMinute",
    "tokensPerMinute",
    "requestsPerDay",
    "tokensPerDay",
    "concurrentRequests",
}


def leaves(kind: str) -> Iterator[str]:
    """Every path of the kind's `spec` that is no object with fields of its own."""
    schema = KINDS[kind].model_json_schema(by_alias=True)

    def walk(node: dict[str, Any], path: str) -> Iterator[str]:
        options = [o for o in node.get("anyOf", [node]) if o.get("type") != "null"]
        node = options[0]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        if node.get("type") == "array":
            yield from walk(node["items"], f"{path}[]")
        elif "properties" in node:
            for name, inner in node["properties"].items():
                yield from walk(inner, f"{path}.{name}")
        else:
            yield path

    return walk(schema["properties"]["spec"], "spec")


def covers(known: str, path: str) -> bool:
    return path.removeprefix(known)[:1] in {"", ".", "["} and path.startswith(known)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_has_an_effect_or_is_a_warning(kind: str) -> None:
    known = {field.path for field in FIELDS[kind]} | ENFORCED[kind]
    unknown = [
        path
        for path in leaves(kind)
        if path.rsplit(".", 1)[-1] not in RATES and not any(covers(each, path) for each in known)
    ]
    assert unknown == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_field_is_in_the_table_that_does_not_exist(kind: str) -> None:
    paths = list(leaves(kind))
    for field in FIELDS[kind]:
        assert any(covers(field.path, path) for path in paths), field.path


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_field_is_both(kind: str) -> None:
    assert {field.path for field in FIELDS[kind]} & ENFORCED[kind] == set()


def test_the_path_says_which_item_of_a_list() -> None:
    rules = [
        {"name": "a", "match": {"models": ["a"]}, "tier": {"name": "fast"}},
        {"name": "b", "match": {"cel": "true"}, "tier": {"name": "fast"}},
    ]
    (warning,) = not_yet_enforced(policy(rules=rules))
    assert warning.path == "spec.rules[1].match.cel"
    assert (warning.condition, warning.reason) == ("Enforced", "NotYetEnforced")
    assert warning.severity == "warning"


def test_a_default_that_is_spelled_out_needs_no_warning() -> None:
    assert not_yet_enforced(policy(attribution=None)) == ()
    tags = [{"name": "agent", "type": "Header", "header": {"name": "x-agent"}}]
    assert len(not_yet_enforced(policy(attribution={"tagsFrom": tags}))) == 1
