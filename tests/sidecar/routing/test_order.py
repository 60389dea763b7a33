"""Who is tried, and in which order."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.provider import Health as HealthConfig
from penstock_config.provider import Provider
from penstock_config.tier import Tier
from penstock_sidecar.errors import CallerError, ContextTooLong, UpstreamUnavailable
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.model import Request
from penstock_sidecar.routing.router import Router, Selection
from tests.sidecar.routing.builders import (
    CALLER,
    ManualClock,
    candidate,
    config,
    model,
    policy,
    provider,
    request,
    tier,
)

steady = settings(deadline=None, derandomize=True)

FOUR = (provider("p", "a", "b", "c", "d"),)
CHAT_ONLY = model("chat-only", capabilities=("chat",))
TOOLS = model("tools", capabilities=("chat", "tools"))
EYES = model("eyes", capabilities=("chat", "vision"))
DEAF = model("embedder", capabilities=("embeddings",))


def router(
    providers: tuple[Provider, ...], *tiers: Tier, seed: int = 1, clock: ManualClock | None = None
) -> Router:
    ruling = policy(*(t.name for t in tiers))
    whole = config(providers, tiers, ruling)
    return Router(whole, ruling, Random(seed), clock or ManualClock())


def select(by: Router, asked: Request, input_tokens: int = 10) -> Selection:
    return by.order(by.route(asked, CALLER, input_tokens), asked, input_tokens)


def names(selection: Selection) -> str:
    return " ".join(c.model.name for c in selection.candidates)


def test_priorities_come_in_ascending_order() -> None:
    fast = tier(
        "fast", candidate("p/a", priority=2), candidate("p/b"), candidate("p/c", priority=1)
    )
    assert names(select(router(FOUR, fast), request("fast"))) == "b c a"


def test_a_tier_comes_whole_before_its_fallback_whatever_their_priorities() -> None:
    fast = tier("fast", candidate("p/a", priority=9), fallback=("deep",))
    deep = tier("deep", candidate("p/b"), candidate("p/c"))
    for seed in range(20):
        assert names(select(router(FOUR, fast, deep, seed=seed), request("fast")))[0] == "a"


def test_the_first_of_a_group_is_drawn_by_weight() -> None:
    fast = tier("fast", candidate("p/a", weight=1), candidate("p/b", weight=3))
    by = router(FOUR, fast)
    first = Counter(names(select(by, request("fast")))[0] for _ in range(4_000))
    assert first["b"] / 4_000 == pytest.approx(0.75, abs=0.03)


def test_who_comes_second_is_drawn_by_weight_too() -> None:
    fast = tier(
        "fast",
        candidate("p/a", weight=1),
        candidate("p/b", weight=3),
        candidate("p/c", weight=4),
    )
    by = router(FOUR, fast)
    orders = Counter(names(select(by, request("fast"))) for _ in range(8_000))
    second = {order[2]: count for order, count in orders.items() if order[0] == "c"}
    assert second["b"] / sum(second.values()) == pytest.approx(0.75, abs=0.04)


def test_weight_0_is_the_last_resort_of_its_group() -> None:
    fast = tier("fast", candidate("p/a", weight=0), candidate("p/b"), candidate("p/c", priority=1))
    for seed in range(20):
        assert names(select(router(FOUR, fast, seed=seed), request("fast"))) == "b a c"


@steady
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=4, max_size=4),
    st.integers(0, 1_000),
)
def test_every_order_is_a_permutation_that_keeps_to_the_priorities(
    numbers: list[tuple[int, int]], seed: int
) -> None:
    candidates = [
        candidate(f"p/{name}", weight=weight, priority=priority)
        for name, (weight, priority) in zip("abcd", numbers, strict=True)
    ]
    chosen = select(router(FOUR, tier("fast", *candidates), seed=seed), request("fast")).candidates
    assert sorted(c.model.name for c in chosen) == list("abcd")
    assert [c.priority for c in chosen] == sorted(priority for _, priority in numbers)


def test_who_cannot_do_it_is_dropped_with_the_reason() -> None:
    by = router((provider("p", CHAT_ONLY, TOOLS),), tier("fast", "p/chat-only", "p/tools"))
    selection = select(by, request("fast", tools=True))
    assert names(selection) == "tools"
    assert [(d.candidate, d.reason) for d in selection.drops] == [
        ("shop/p/chat-only", "cannot do tools")
    ]


@pytest.mark.parametrize(
    ("asked", "lacking", "param"),
    [
        (request("fast", tools=True), "tools", "tools"),
        (request("fast", images=1), "vision", "messages"),
        (request("fast", images=1, tools=True), "tools and vision", "messages"),
    ],
)
def test_what_no_model_can_do_is_the_callers_error_and_named(
    asked: Request, lacking: str, param: str
) -> None:
    by = router((provider("p", CHAT_ONLY),), tier("fast", "p/chat-only"))
    with pytest.raises(CallerError, match=f"can do {lacking}: ask") as caught:
        select(by, asked)
    assert (caught.value.status, caught.value.param) == (400, param)


def test_needs_that_no_single_model_joins_are_named_together() -> None:
    by = router((provider("p", EYES, TOOLS),), tier("fast", "p/eyes", "p/tools"))
    with pytest.raises(CallerError, match=r"can do chat and tools and vision: ask"):
        select(by, request("fast", images=1, tools=True))


def test_a_model_that_does_not_chat_never_serves_a_chat() -> None:
    by = router((provider("p", DEAF),), tier("fast", "p/embedder"))
    with pytest.raises(CallerError, match=r"can do chat: ask"):
        select(by, request("embedder"))


SHORT_AND_LONG = (
    provider("p", model("short", context_window=100), model("long", context_window=1_000)),
)
BOTH = tier("fast", candidate("p/short"), candidate("p/long", priority=1))


def test_json_goes_to_models_that_can_write_it() -> None:
    neat = model("neat", capabilities=("chat", "json"))
    by = router((provider("p", CHAT_ONLY, neat),), tier("fast", "p/chat-only", "p/neat"))
    assert names(select(by, request("fast", json=True))) == "neat"
    alone = router((provider("p", CHAT_ONLY),), tier("fast", "p/chat-only"))
    with pytest.raises(CallerError, match="can do json") as caught:
        select(alone, request("fast", json=True))
    assert caught.value.param == "response_format"


@pytest.mark.parametrize(
    ("input_tokens", "max_output_tokens", "expected"),
    [(100, None, "short long"), (101, None, "long"), (60, 40, "short long"), (60, 41, "long")],
)
def test_input_and_the_wanted_answer_must_fit_the_window(
    input_tokens: int, max_output_tokens: int | None, expected: str
) -> None:
    asked = request("fast", max_output_tokens=max_output_tokens)
    assert names(select(router(SHORT_AND_LONG, BOTH), asked, input_tokens)) == expected


def test_too_long_for_all_says_how_long_and_the_largest_window() -> None:
    with pytest.raises(ContextTooLong, match=r"about 2001 tokens .* 1000 tokens") as caught:
        select(router(SHORT_AND_LONG, BOTH), request("fast"), 2_001)
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize(("tokens", "answer"), [(1_001, None), (2_000, None), (900, 5_000)])
def test_what_may_fit_after_all_goes_to_the_largest_window_alone(
    tokens: int, answer: int | None
) -> None:
    """Bytes only hint at tokens: the provider counts them, and refuses if it must."""
    asked = request("fast", max_output_tokens=answer)
    assert names(select(router(SHORT_AND_LONG, BOTH), asked, tokens)) == "long"


def test_a_window_nobody_stated_takes_everything() -> None:
    by = router((provider("p", "a"),), tier("fast", "p/a"))
    assert names(select(by, request("fast"), 10_000_000)) == "a"


def test_too_long_is_said_where_only_the_able_ones_are_too_small() -> None:
    small_eyes = model("eyes", capabilities=("chat", "vision"), context_window=100)
    by = router((provider("p", small_eyes, CHAT_ONLY),), tier("fast", "p/eyes", "p/chat-only"))
    with pytest.raises(ContextTooLong):
        select(by, request("fast", images=1), 201)


ONE_STRIKE = HealthConfig(failure_threshold=1, cooldown_seconds=60)


def test_a_failing_candidate_is_asked_last_but_asked() -> None:
    clock = ManualClock()
    fast = tier("fast", candidate("p/a"), candidate("p/b", priority=1), fallback=("deep",))
    deep = tier("deep", candidate("p/c"))
    by = router((provider("p", "a", "b", "c", health=ONE_STRIKE),), fast, deep, clock=clock)
    first = select(by, request("fast")).candidates[0]
    by.failed(first, UpstreamUnavailable("down"), "openai-chat")
    assert names(select(by, request("fast"))) == "b c a"
    clock.now += 60
    assert names(select(by, request("fast"))) == "a b c"


def test_never_zero_candidates_though_all_fail() -> None:
    by = router((provider("p", "a", "b", health=ONE_STRIKE),), tier("fast", "p/a", "p/b"))
    for failing in select(by, request("fast")).candidates:
        by.failed(failing, UpstreamUnavailable("down"), "openai-chat")
    assert len(select(by, request("fast")).candidates) == 2


def test_a_shared_memory_outlives_a_change_of_configuration() -> None:
    clock = ManualClock()
    breakers = Breakers(clock)
    fast = tier("fast", candidate("p/a"), candidate("p/b", priority=1))
    ruling = policy("fast")
    whole = config((provider("p", "a", "b", health=ONE_STRIKE),), (fast,), ruling)
    before, after = (Router(whole, ruling, Random(1), clock, breakers) for _ in range(2))
    first = select(before, request("fast")).candidates[0]
    before.failed(first, UpstreamUnavailable("down"), "openai-chat")
    assert names(select(after, request("fast"))) == "b a"
