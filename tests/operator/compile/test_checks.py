"""What an object says wrong of itself, beyond what its type refuses."""

from typing import Any

import pytest

from penstock_operator.compile.checks import check_object, is_time_zone
from penstock_operator.compile.parse import Resource
from tests.operator.compile.documents import budget, policy, provider, tier


def errors(resource: Resource, *, loopback_allowed: bool = False) -> list[str]:
    found = check_object(resource, loopback_allowed=loopback_allowed)
    return [problem.path for problem in found if problem.severity == "error"]


@pytest.mark.parametrize("resource", [provider(), tier(), policy(), budget()])
def test_the_least_that_is_needed_is_fine(resource: Resource) -> None:
    assert check_object(resource) == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1",
        "http://127.0.0.1",
        "http://[::1]:8000/v1",
        "http://ip6-localhost:4143",  # in every pod's /etc/hosts, as the next one
        "http://IP6-Loopback/v1",
    ],
)
def test_this_machine_is_for_local_mode_alone(url: str) -> None:
    here = provider(baseURL=url)
    assert errors(here) == ["spec.baseURL"]
    assert errors(here, loopback_allowed=True) == []


@pytest.mark.parametrize("url", ["https://x.example.com:65536", "https://[1:2]", "http://x:0"])
def test_what_no_client_can_call_is_refused_everywhere(url: str) -> None:
    assert errors(provider(baseURL=url), loopback_allowed=True) == ["spec.baseURL"]


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/completions/", "/v1/messages", "/api/chat"]
)
def test_the_address_of_one_call_is_no_base(path: str) -> None:
    assert errors(provider(baseURL=f"https://x.example.com{path}")) == ["spec.baseURL"]


@pytest.mark.parametrize(
    ("type_", "url", "meant"),
    [
        ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
        ("openai", "https://api.groq.com/", "https://api.groq.com/openai/v1"),
        (
            "gemini",
            "https://generativelanguage.googleapis.com",
            "https://generativelanguage.googleapis.com/v1beta",
        ),
    ],
)
def test_a_vendors_host_alone_is_no_base(type_: str, url: str, meant: str) -> None:
    (found,) = (e for e in check_object(provider(type=type_, baseURL=url)) if e.severity == "error")
    assert found.text.endswith(f"write {meant}")


@pytest.mark.parametrize(
    ("type_", "url"),
    [
        ("openai", "https://api.deepseek.com"),  # its own documentation has both
        ("openai", "https://api.openai.com/v2"),
        ("openai", "https://gateway.example.com"),
        ("anthropic", "https://api.anthropic.com"),
    ],
)
def test_others_know_what_is_at_their_top(type_: str, url: str) -> None:
    assert errors(provider(type=type_, baseURL=url)) == []


def test_the_way_out_is_checked_too() -> None:
    assert errors(provider(proxyURL="http://169.254.169.254")) == ["spec.proxyURL"]


def test_a_header_is_set_once_whatever_its_case() -> None:
    headers = [{"name": "X-Team", "value": "a"}, {"name": "x-team", "value": "b"}]
    assert errors(provider(headers=headers)) == ["spec.headers[1].name"]


def test_a_candidate_is_the_same_with_its_namespace_spelled_out() -> None:
    models = [
        {"provider": {"name": "own"}, "model": "m"},
        {"provider": {"name": "own", "namespace": "llm"}, "model": "m"},
        {"provider": {"name": "own", "namespace": "shop"}, "model": "m"},
    ]
    assert errors(tier(models=models)) == ["spec.models[1]"]


def test_no_tier_takes_the_name_that_asks_for_classification() -> None:
    assert errors(tier("auto")) == ["metadata.name"]


@pytest.mark.parametrize("glob", ["gpt-[34]", "]", "[!a]*"])
def test_a_glob_without_meaning_is_refused(glob: str) -> None:
    rule = {"name": "a", "match": {"models": ["fine*?", glob]}, "tier": {"name": "fast"}}
    assert errors(policy(rules=[rule])) == ["spec.rules[0].match.models[1]"]


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_time_zone_is_known_by_its_name(name: str) -> None:
    assert is_time_zone(name)


@pytest.mark.parametrize(
    "name", ["Europe", "Mars/Olympus", "europe/berlin ", "../../etc/passwd", ""]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    assert not is_time_zone(name)


def test_a_budget_that_may_be_exceeded_says_so() -> None:
    (warning,) = check_object(budget(onExceeded="Warn"))
    assert (warning.condition, warning.reason, warning.severity) == (
        "Enforced",
        "WarnOnly",
        "warning",
    )


def test_a_model_that_no_request_can_reach_says_so() -> None:
    idle = {"name": "m", "capabilities": ["tools", "vision"]}
    models = [idle, {"name": "n"}, {"name": "o", "capabilities": ["embeddings"]}]
    [warning] = check_object(provider(models=models))
    assert (warning.reason, warning.severity) == ("NotYetEnforced", "warning")
    assert warning.path == "spec.models[0].capabilities"


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, True),
        ({"credentials": {"secretRefs": [{"name": "keys", "key": "groq"}]}}, False),
        ({"baseURL": "https://relay.example.com/v1"}, False),
        ({"headers": [{"name": "x-relay", "value": "yes"}]}, False),
    ],
)
def test_a_vendor_without_a_key_is_warned_of(fields: dict[str, Any], missing: bool) -> None:
    groq = provider(**{"type": None, "baseURL": None, "preset": "groq"} | fields)
    found = [(p.reason, p.path) for p in check_object(groq) if p.reason == "NoCredentials"]
    assert found == [("NoCredentials", "spec.credentials")] * missing


def ruled(*matches: dict[str, Any]) -> list[str]:
    """Paths of the rules that never decide."""
    rules = [
        {"name": f"r{index}", "match": match, "tier": {"name": "fast"}}
        for index, match in enumerate(matches)
    ]
    found = check_object(policy(rules=rules))
    return [problem.path for problem in found if problem.reason == "NoEffect"]


@pytest.mark.parametrize(
    ("matches", "idle"),
    [
        ([{"models": ["a"]}, {}], []),
        ([{}, {"models": ["a"]}, {}], ["spec.rules[1]", "spec.rules[2]"]),
        ([{"maxInputTokens": 9}, {"tasks": ["chat"]}], []),
        ([{"cel": "true"}, {"models": ["a"]}], []),
        ([{"models": []}, {"users": ["ann"]}], ["spec.rules[1]"]),
    ],
)
def test_a_rule_behind_one_that_takes_every_request_never_decides(
    matches: list[dict[str, Any]], idle: list[str]
) -> None:
    assert ruled(*matches) == idle
