"""Which names a caller may send, and what each means."""

from random import Random

import pytest

from penstock_config.policy import Policy, Target
from penstock_config.tier import Tier
from penstock_sidecar.errors import Denied, UnknownModel
from penstock_sidecar.routing.router import MAX_NAMES_SHOWN, Router
from penstock_sidecar.routing.routes import Route
from tests.sidecar.routing.builders import (
    CALLER,
    ManualClock,
    config,
    policy,
    provider,
    request,
    rule,
    tier,
    to_tier,
)

PROVIDERS = (
    provider("groq", "small", "large"),
    provider("cloud", "large", "huge"),
    provider("secret", "forbidden"),
)
TIERS = (
    tier("fast", "groq/small", fallback=("deep", "outside")),
    tier("deep", "cloud/large", "groq/large", "cloud/huge"),
    tier("outside", "secret/forbidden"),
    tier("broken", denied="tier shop/broken: provider shop/gone does not exist"),
)


def router(ruling: Policy, tiers: tuple[Tier, ...] = TIERS) -> Router:
    return Router(config(PROVIDERS, tiers, ruling), ruling, Random(1), ManualClock())


def routed(ruling: Policy, name: str, input_tokens: int = 10) -> Route:
    return router(ruling).route(request(name), CALLER, input_tokens)


def labels(route: Route) -> list[str]:
    return [c.label.removeprefix("shop/") for c in route.candidates]


def test_a_tiers_name_is_that_tier_and_then_its_fallbacks() -> None:
    route = routed(policy("fast", "deep"), "fast")
    assert (route.rule, route.target) == ("tier", "tier:shop/fast")
    assert labels(route) == ["groq/small", "cloud/large", "groq/large", "cloud/huge"]


def test_a_models_name_is_every_candidate_of_that_name_in_tier_order() -> None:
    route = routed(policy("fast", "deep"), "large")
    assert (route.rule, route.target) == ("model", "model:large")
    assert labels(route) == ["cloud/large", "groq/large"]


def test_a_tiers_name_wins_over_a_models() -> None:
    tiers = (*TIERS, tier("large", "groq/small"))
    route = router(policy("deep", "large"), tiers).route(request("large"), CALLER, 1)
    assert route.target == "tier:shop/large"


def test_a_rule_wins_over_any_name() -> None:
    ruling = policy("fast", "deep", rules=(rule("all", to_tier("deep"), models=("f*",)),))
    route = routed(ruling, "fast")
    assert (route.rule, route.target) == ("all", "tier:shop/deep")


@pytest.mark.parametrize(
    "name", ["auto", "auto:simple", "auto:medium", "auto:complex", "auto:expert"]
)
def test_auto_is_the_default(name: str) -> None:
    route = routed(policy("fast", "deep", default=to_tier("deep")), name)
    assert (route.rule, route.target) == ("auto", "tier:shop/deep")


def test_auto_without_a_default_says_what_the_policy_lacks() -> None:
    with pytest.raises(UnknownModel, match="policy shop/main has no defaultTier"):
        routed(policy("fast"), "auto")


@pytest.mark.parametrize("name", ["gpt-5-typo", "auto:wild", "Fast", "shop/fast"])
def test_an_unknown_name_is_refused_and_the_served_ones_are_told(name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        routed(policy("fast", "deep", default=to_tier("fast")), name)
    assert "served are: fast, deep, small, large, huge, auto" in caught.value.public
    assert caught.value.param == "model"


def test_the_list_of_names_is_bounded_and_so_is_the_echo() -> None:
    tiers = tuple(tier(f"tier-{i}", "groq/small") for i in range(MAX_NAMES_SHOWN + 5))
    ruling = policy(*(t.name for t in tiers))
    with pytest.raises(UnknownModel, match=r"and 6 more$") as caught:
        router(ruling, tiers).route(request("x" * 100_000), CALLER, 1)
    assert len(caught.value.public) < 1000


@pytest.mark.parametrize("name", ["outside", "forbidden"])
def test_what_is_outside_the_policys_tiers_is_not_reachable_by_name(name: str) -> None:
    with pytest.raises(UnknownModel):
        routed(policy("fast", "deep", default=to_tier("fast")), name)


def test_nor_by_a_fallback() -> None:
    assert "secret/forbidden" not in labels(routed(policy("fast", "deep"), "fast"))


@pytest.mark.parametrize("target", [to_tier("outside"), Target(model="forbidden")])
def test_nor_by_a_rule(target: Target) -> None:
    with pytest.raises(Denied):
        routed(policy("fast", rules=(rule("r", target),)), "fast")


def test_a_denied_target_is_refused_with_the_configurations_text() -> None:
    ruling = policy("fast", rules=(rule("r", Target(denied="rule r: tier shop/x is missing")),))
    with pytest.raises(Denied, match="rule r: tier shop/x is missing"):
        routed(ruling, "fast")


def test_a_tier_without_candidates_says_why() -> None:
    with pytest.raises(Denied, match="provider shop/gone does not exist"):
        routed(policy("fast", "broken"), "broken")


def test_a_tier_without_candidates_is_served_by_its_fallbacks() -> None:
    tiers = (tier("empty", fallback=("fast",), denied="nobody left"), *TIERS)
    route = router(policy("empty", "fast"), tiers).route(request("empty"), CALLER, 1)
    assert labels(route) == ["groq/small"]


def test_fallbacks_go_depth_first_and_each_tier_once() -> None:
    tiers = (
        tier("a", "groq/small", fallback=("b", "c")),
        tier("b", "groq/large", fallback=("c", "a")),
        tier("c", "cloud/huge", fallback=("a",)),
    )
    route = router(policy("a", "b", "c"), tiers).route(request("a"), CALLER, 1)
    assert labels(route) == ["groq/small", "groq/large", "cloud/huge"]


def test_a_model_that_several_tiers_name_is_tried_once_as_the_first_says() -> None:
    tiers = (tier("a", "groq/small", fallback=("b",)), tier("b", "groq/small", "cloud/huge"))
    route = router(policy("a", "b"), tiers).route(request("a"), CALLER, 1)
    assert [(c.label, c.tier) for c in route.candidates] == [
        ("shop/groq/small", "a"),
        ("shop/cloud/huge", "b"),
    ]


def test_models_lists_tiers_models_and_auto_each_with_its_owner() -> None:
    served = router(policy("fast", "deep", "broken", default=to_tier("fast"))).models()
    assert served == (
        ("fast", "penstock"),
        ("deep", "penstock"),
        ("small", "groq"),
        ("large", "cloud"),
        ("huge", "cloud"),
        ("auto", "penstock"),
    )


def test_auto_is_listed_only_where_something_serves_it() -> None:
    assert ("auto", "penstock") not in router(policy("fast")).models()
    catch_all = policy("fast", rules=(rule("all", to_tier("fast")),))
    assert ("auto", "penstock") in router(catch_all).models()
