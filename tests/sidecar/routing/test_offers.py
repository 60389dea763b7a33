"""What callers are told of each name that they may send."""

from dataclasses import replace
from random import Random

import pytest

from penstock_config.policy import Policy, Target
from penstock_config.tier import Tier
from penstock_sidecar.errors import UnknownModel
from penstock_sidecar.model import Api
from penstock_sidecar.routing.offers import Offer
from penstock_sidecar.routing.router import Router
from tests.sidecar.routing.builders import (
    CALLER,
    EVERYTHING,
    ManualClock,
    config,
    model,
    policy,
    provider,
    request,
    rule,
    tier,
    to_tier,
)

PROVIDERS = (
    provider(
        "groq",
        model("small", capabilities=("chat",), context_window=8_192),
        model("llama3.2:latest", capabilities=("chat", "tools")),
    ),
    provider("cloud", model("large", capabilities=("chat", "vision"), context_window=128_000)),
)
TIERS = (
    tier("fast", "groq/small", fallback=("deep",)),
    tier("deep", "cloud/large", "groq/llama3.2:latest"),
)


def router(ruling: Policy, tiers: tuple[Tier, ...] = TIERS) -> Router:
    return Router(config(PROVIDERS, tiers, ruling), ruling, Random(1), ManualClock())


def offers(ruling: Policy) -> dict[str, Offer]:
    return {offer.name: offer for offer in router(ruling).offers()}


def test_a_tier_can_do_what_any_of_its_candidates_can() -> None:
    found = offers(policy("fast", "deep"))
    everything = frozenset(EVERYTHING)
    assert found["fast"] == Offer("fast", "penstock", everything, 128_000)
    assert found["small"] == Offer("small", "groq", frozenset({"chat"}), 8_192)
    assert found["llama3.2:latest"].context_window is None


def test_the_same_names_are_offered_as_are_listed() -> None:
    ruling = policy("fast", "deep")
    listed = router(ruling).models()
    assert [(o.name, o.owner) for o in offers(ruling).values()] == list(listed)


def test_auto_is_what_the_default_can_do() -> None:
    ruling = policy("fast", "deep").model_copy(update={"default": Target(tier="shop/deep")})
    assert offers(ruling)["auto"].context_window == 128_000


def test_a_name_that_only_a_rule_knows_is_offered_without_promises() -> None:
    ruling = policy("fast", rules=(rule("all", to_tier("fast"), models=("auto",)),))
    assert offers(ruling)["auto"] == Offer("auto", "penstock", frozenset(), None)


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("small", "model:small"),
        ("small:latest", "model:small"),
        ("llama3.2", "model:llama3.2:latest"),
        ("llama3.2:latest", "model:llama3.2:latest"),
        ("fast:latest", "tier:shop/fast"),
    ],
)
def test_ollama_s_clients_may_say_latest_or_not(asked: str, target: str) -> None:
    api: Api = "ollama-chat"
    wanted = replace(request(asked), api=api)
    assert router(policy("fast", "deep")).route(wanted, CALLER, 10).target == target


def test_another_spelling_gets_around_no_rule() -> None:
    ruling = policy("fast", "deep", rules=(rule("spare", to_tier("fast"), models=("large",)),))
    for asked in ("large", "large:latest"):
        wanted = replace(request(asked), api="ollama-chat")
        assert router(ruling).route(wanted, CALLER, 10).rule == "spare"


@pytest.mark.parametrize(
    ("asked", "api"),
    [
        ("small:latest", "openai-chat"),
        ("llama3.2", "openai-chat"),
        ("small:7b", "ollama-chat"),
        ("small:latest:latest", "ollama-chat"),
    ],
)
def test_all_else_is_another_name(asked: str, api: Api) -> None:
    with pytest.raises(UnknownModel):
        router(policy("fast", "deep")).route(replace(request(asked), api=api), CALLER, 10)
