"""Whatever is gathered compiles: the same to the same, everybody his own, and nothing opens."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.codec import decode_config, encode
from penstock_config.older import as_version_1, decode_version_1
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Judge
from penstock_operator.compile.budgets import binds
from penstock_operator.compile.compiler import MAX_CONFIG_BYTES, Compiled, compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.labels import NAME_LABEL, may_meet
from penstock_operator.compile.namespaces import tiers_of
from penstock_operator.compile.snapshot import PodLabels, SecretData, Snapshot
from penstock_operator.compile.tiers import BuiltTier, providers_of, with_fallbacks
from tests.operator.compile.documents import document, policy, provider, tier
from tests.operator.compile.snapshots import SNAPSHOTS
from tests.operator.compile.steady import few
from tests.operator.compile.test_cases import shuffled


def written(compiled: Compiled) -> dict[str, bytes]:
    return {name: encode(config) for name, config in compiled.configs.items()}


@few
@given(SNAPSHOTS, st.integers(0, 1000))
def test_equal_snapshots_in_any_order_give_equal_bytes(snapshot: Snapshot, seed: int) -> None:
    one = compile_snapshot(snapshot)
    two = compile_snapshot(shuffled(snapshot, random.Random(seed)))
    assert written(one) == written(two)
    assert one == two


@few
@given(SNAPSHOTS)
def test_a_namespace_with_a_policy_has_a_configuration_and_no_other_has(snapshot: Snapshot) -> None:
    compiled = compile_snapshot(snapshot)
    assert set(compiled.configs) == {policy.metadata.namespace for policy in snapshot.policies}
    assert set(compiled.credentials) == set(compiled.configs) & set(snapshot.scope_keys)


def judges(config: SidecarConfig) -> list[Judge]:
    return [t.ensemble.judge for t in config.tiers if t.ensemble and t.ensemble.judge]


@few
@given(SNAPSHOTS)
def test_a_namespace_gets_what_its_policies_reach_and_no_more(snapshot: Snapshot) -> None:
    compiled = compile_snapshot(snapshot)
    for namespace, config in compiled.configs.items():
        tiers = {id_ for each in config.policies for id_ in (*each.tiers, *each.downgrade_tiers)}
        providers = {each.provider for tier in config.tiers for each in tier.candidates}
        providers |= {judge.provider for judge in judges(config)}
        assert {each.id for each in config.tiers} == tiers
        assert {each.id for each in config.providers} == providers
        assert {each.id.split("/")[0] for each in config.policies} <= {namespace}
        if namespace in compiled.credentials:
            assert set(compiled.credentials[namespace].provider_keys) <= providers


@few
@given(SNAPSHOTS)
def test_who_needs_a_key_is_a_candidate_only_with_one(snapshot: Snapshot) -> None:
    compiled = compile_snapshot(snapshot)
    for namespace, credentials in compiled.credentials.items():
        for each in compiled.configs[namespace].providers:
            assert each.needs_key == (each.id in credentials.provider_keys)


@few
@given(SNAPSHOTS)
def test_a_judge_is_a_model_that_may_chat_and_is_there_only_where_one_judges(
    snapshot: Snapshot,
) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        served = {(p.id, m.name): m for p in config.providers for m in p.models}
        for judge in judges(config):
            assert "chat" in served[judge.provider, judge.model].capabilities
        for ensemble in [each.ensemble for each in config.tiers if each.ensemble]:
            assert ensemble.judge is None or ensemble.consensus == "Judge"


@few
@given(SNAPSHOTS)
def test_the_version_before_is_told_something_for_whatever_is_compiled(snapshot: Snapshot) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        older = as_version_1(config)
        told = decode_version_1(older.data)
        closed = {found.tier for found in older.unjudgeable}
        assert {tier.id for tier in told.tiers if tier.denied} >= closed
        assert {tier.id for tier in told.tiers} == {tier.id for tier in config.tiers}
        assert as_version_1(told).data == older.data


@few
@given(SNAPSHOTS)
def test_a_tier_without_candidates_says_why(snapshot: Snapshot) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        for each in config.tiers:
            assert bool(each.candidates) == (each.denied is None)


@few
@given(SNAPSHOTS)
def test_no_reference_is_followed_into_a_namespace_that_does_not_consent(
    snapshot: Snapshot,
) -> None:
    closed = {each.id for each in snapshot.tiers if each.spec.allowed_namespaces.from_ == "Same"}
    for namespace, config in compile_snapshot(snapshot).configs.items():
        for each in config.policies:
            foreign = {id_ for id_ in _named(each) if not id_.startswith(f"{namespace}/")}
            assert not foreign & closed
        led = {each.downgrade.tier for each in config.budgets if each.downgrade}
        assert not {id_ for id_ in led if not id_.startswith(f"{namespace}/")} & closed


def _named(policy: Policy) -> set[str]:
    targets = [rule.target for rule in policy.rules]
    if policy.default:
        targets.append(policy.default)
    return {target.tier for target in targets if target.tier}


@few
@given(SNAPSHOTS)
def test_every_rule_that_ships_leads_somewhere_or_denies(snapshot: Snapshot) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        for each in config.policies:
            for rule in each.rules:
                target = rule.target
                assert sum(bool(t) for t in (target.tier, target.model, target.denied)) == 1
                assert target.tier is None or target.tier in each.tiers


@few
@given(SNAPSHOTS)
def test_downgrade_tiers_are_those_to_which_budgets_lead_and_no_other_way_does(
    snapshot: Snapshot,
) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        assert decode_config(encode(config)) == config
        tiers = {tier.id: BuiltTier(tier, ()) for tier in config.tiers}
        led = {each.downgrade.tier for each in config.budgets if each.downgrade}
        for each in config.policies:
            assert not set(each.downgrade_tiers) & set(each.tiers)
            assert set(each.downgrade_tiers) <= set(with_fallbacks(sorted(led), tiers))


@few
@given(SNAPSHOTS)
def test_a_budget_that_binds_a_policy_finds_its_tier_there(snapshot: Snapshot) -> None:
    for config in compile_snapshot(snapshot).configs.values():
        tiers = {tier.id: BuiltTier(tier, ()) for tier in config.tiers}
        for each in config.policies:
            reached = frozenset(tiers_of(each))
            for budget in config.budgets:
                binding = binds(budget, reached, providers_of(reached, tiers))
                if budget.downgrade and binding and may_meet(budget.selector, each.selector):
                    assert budget.downgrade.tier in reached or not reached


@few
@given(SNAPSHOTS, st.datetimes(timezones=st.just(UTC)))
def test_the_time_changes_no_configuration(snapshot: Snapshot, at: datetime) -> None:
    assert written(compile_snapshot(snapshot)) == written(
        compile_snapshot(replace(snapshot, taken_at=at))
    )


@few
@given(SNAPSHOTS)
def test_every_problem_is_of_an_object_that_was_gathered(snapshot: Snapshot) -> None:
    known = {
        (each.kind, each.id)
        for kind in (snapshot.providers, snapshot.tiers, snapshot.policies, snapshot.budgets)
        for each in kind
    } | {(p.object.kind, p.object.id) for p in snapshot.unparsable}
    for problem in compile_snapshot(snapshot).problems:
        assert (problem.object.kind, problem.object.id) in known


def small(**fields: object) -> Snapshot:
    snapshot = Snapshot(
        cluster="test",
        providers=(provider(),),
        tiers=(tier(),),
        policies=(policy(),),
        scope_keys={"llm": "scope"},
    )
    return replace(snapshot, **fields)  # type: ignore[arg-type]


def only(compiled: Compiled) -> SidecarConfig:
    (config,) = compiled.configs.values()
    return config


def test_a_configuration_that_is_too_large_is_withheld_and_said_of_its_policies() -> None:
    rules = [
        {
            "name": f"rule-{number}",
            "match": {"models": [f"{number}-{model}-{'x' * 90}" for model in range(64)]},
            "tier": {"name": "fast"},
        }
        for number in range(64)
    ]
    many = (policy("large", rules=rules), policy("other", "shop"))
    compiled = compile_snapshot(small(policies=many, scope_keys={"llm": "s", "shop": "s"}))
    versions = 2
    assert len(rules) * 64 * 90 * versions < MAX_CONFIG_BYTES
    assert compiled.withheld == frozenset()
    larger = (*many, policy("larger", rules=rules))
    compiled = compile_snapshot(small(policies=larger, scope_keys={"llm": "s", "shop": "s"}))
    assert compiled.withheld == {"llm"}
    assert set(compiled.configs) == {"shop"}
    assert set(compiled.credentials) == {"llm", "shop"}
    found = [p.object.name for p in compiled.problems if p.reason == "ConfigTooLarge"]
    assert found == ["large", "larger"]


def test_without_a_scope_key_there_are_no_credentials_and_the_policies_say_so() -> None:
    compiled = compile_snapshot(small(scope_keys={}))
    assert compiled.credentials == {}
    assert [(p.condition, p.reason) for p in compiled.problems] == [
        ("Programmed", "ScopeKeyMissing")
    ]


def test_keys_keep_their_order_and_each_is_there_once() -> None:
    refs = [{"name": "keys", "key": key} for key in ("b", "a", "c")]
    owner = provider(type="openai", credentials={"secretRefs": refs}, onUnknownPrice="Free")
    secret = SecretData({"a": b"sk-two", "b": b"sk-one\n", "c": b"sk-two"})
    compiled = compile_snapshot(small(providers=(owner,), secrets={("llm", "keys"): secret}))
    keys = compiled.credentials["llm"].provider_keys["llm/own"]
    assert [key.get_secret_value() for key in keys] == ["sk-one", "sk-two"]


def test_a_pod_more_seldom_changes_the_bytes() -> None:
    pods = tuple(PodLabels("llm", f"pod-{number}", {}) for number in range(7))
    assert only(compile_snapshot(small(pods=pods))).policies[0].sidecars == 8
    one_more = (*pods, PodLabels("llm", "pod-7", {}))
    assert written(compile_snapshot(small(pods=pods))) == written(
        compile_snapshot(small(pods=one_more))
    )


def test_thousand_policies_and_five_thousand_pods_are_compiled() -> None:
    """Only that it works; `bench/` says how fast."""
    policies = tuple(
        policy(
            f"p-{number}",
            f"team-{number % 50}",
            selector={"matchLabels": {"app": f"a{number}"}},
            defaultTier={"name": "fast", "namespace": "llm"},
        )
        for number in range(1000)
    )
    pods = tuple(
        PodLabels(f"team-{number % 50}", f"pod-{number}", {"app": f"a{number % 1000}"})
        for number in range(5000)
    )
    shared = tier(allowedNamespaces={"from": "All"})
    keys = {f"team-{number}": "s" for number in range(50)}
    compiled = compile_snapshot(
        small(tiers=(shared,), policies=policies, pods=pods, scope_keys=keys)
    )
    assert compiled.problems == ()
    assert len(compiled.configs) == 50
    assert {c.providers[0].sidecars for c in compiled.configs.values()} == {8192}
    assert {p.sidecars for c in compiled.configs.values() for p in c.policies} == {8}


@pytest.mark.parametrize(
    ("line", "opens"),
    [
        ({"key": "tenant", "operator": "NotIn", "values": ["evil"]}, False),
        ({"key": "tenant", "operator": "DoesNotExist"}, False),
        ({"key": NAME_LABEL, "operator": "NotIn", "values": ["evil"]}, True),
        ({"key": NAME_LABEL, "operator": "In", "values": ["shop"]}, True),
        ({"key": NAME_LABEL, "operator": "NotIn", "values": ["shop"]}, False),
    ],
)
def test_who_consents_by_labels_does_not_consent_to_a_namespace_whose_labels_are_not_known(
    line: dict[str, Any], opens: bool
) -> None:
    """The operator of single namespaces sees no labels (PENSTOCK_WATCH_NAMESPACES)."""
    selector = {"matchExpressions": [line]}
    shared = tier(allowedNamespaces={"from": "Selector", "selector": selector})
    reaching = policy(namespace="shop", defaultTier={"name": "fast", "namespace": "llm"})
    compiled = compile_snapshot(small(tiers=(shared,), policies=(reaching,)))
    [found] = compiled.configs["shop"].policies
    assert found.default is not None
    assert (found.default.denied is None) is opens
    assert (found.tiers != ()) is opens


def gathered(*documents: dict[str, Any]) -> Snapshot:
    return snapshot_of(
        documents,
        cluster="test",
        loopback_allowed=False,
        redis=None,
        scope_keys={"llm": "scope"},
    )


SERVING = (document("LLMProvider", "own"), document("ModelTier", "fast"))


def test_pods_of_a_policy_that_does_not_parse_fall_to_no_other_policy() -> None:
    strict = document(
        "RoutePolicy",
        "strict",
        selector={"matchLabels": {"team": "x"}},
        precedence=5,
        limits=[{"name": "a", "per": "Everybody"}],
    )
    compiled = compile_snapshot(gathered(*SERVING, strict, document("RoutePolicy", "lax")))
    first, second = only(compiled).policies
    assert (first.id, first.selector.match_labels) == ("llm/strict", {"team": "x"})
    assert first.default is not None
    assert "RoutePolicy llm/strict is refused: " in (first.default.denied or "")
    assert (second.id, second.tiers) == ("llm/lax", ("llm/fast",))
    [fault] = [p for p in compiled.problems if p.object.name == "strict"]
    assert (fault.condition, fault.reason) == ("Accepted", "InvalidSpec")


def test_a_suspended_policy_that_does_not_parse_takes_no_pods() -> None:
    idle = document("RoutePolicy", "idle", precedence=5, suspended=True, colour="red")
    [found] = only(
        compile_snapshot(gathered(*SERVING, idle, document("RoutePolicy", "lax")))
    ).policies
    assert found.id == "llm/lax"


def test_a_policy_whose_selector_does_not_parse_stops_no_other() -> None:
    odd = document("RoutePolicy", "odd", precedence=5, selector={"pods": "all"})
    [found] = only(
        compile_snapshot(gathered(*SERVING, odd, document("RoutePolicy", "lax")))
    ).policies
    assert found.id == "llm/lax"


def test_a_budget_that_does_not_parse_binds_by_its_limits() -> None:
    newer = document("Budget", "money", limits={"daily": "5"}, onExceeded="Warn", colour="red")
    config = only(compile_snapshot(gathered(*SERVING, newer, document("RoutePolicy", "lax"))))
    [found] = config.budgets
    assert (found.limits.daily, found.on_exceeded) == (5_000_000, "Reject")
