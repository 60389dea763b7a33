"""What tiers demand of their candidates, and what becomes of requests that nobody fits."""

from random import Random
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.classification import Complexity
from penstock_config.tier import Floor
from penstock_sidecar.errors import MalformedRequest, NoFit
from penstock_sidecar.model import Classification, Request
from penstock_sidecar.routing.router import Router, Selection
from penstock_sidecar.routing.seen import Seen
from tests.sidecar.routing.builders import (
    CALLER,
    ManualClock,
    candidate,
    config,
    policy,
    provider,
    request,
    tier,
)
from tests.sidecar.routing.strategies.models import priced

SMALL = priced("small", 1, quality=60, expected_latency_ms=200)
LARGE = priced("large", 20, quality=95, expected_latency_ms=1_500)
PLAIN = priced("plain", None)
"""Nobody said what it costs, how good it is, or how quick."""


def router(
    *floors: Floor,
    on_no_fit: Literal["Cheapest", "Reject"] = "Cheapest",
    seen: Seen | None = None,
) -> Router:
    fast = tier("fast", "p/large", "p/small", "p/plain", floors=floors, on_no_fit=on_no_fit)
    ruling = policy("fast")
    whole = config((provider("p", SMALL, LARGE, PLAIN),), (fast,), ruling)
    return Router(whole, ruling, Random(1), ManualClock(), seen=seen)


def select(
    by: Router, asked: Request, complexity: Complexity = "complex", tokens: int = 100
) -> Selection:
    found = Classification("chat", complexity, 1.0)
    return by.order(by.route(asked, CALLER, tokens, found), asked, tokens, found)


def names(selection: Selection) -> set[str]:
    return {c.model.name for c in selection.candidates}


def reasons(selection: Selection) -> dict[str, str]:
    return {drop.candidate.rpartition("/")[2]: drop.kind for drop in selection.drops}


def test_quality_below_the_floor_or_unknown_does_not_serve() -> None:
    selection = select(router(Floor(complexity="complex", min_quality=80)), request("fast"))
    assert names(selection) == {"large"}
    assert reasons(selection) == {"small": "quality", "plain": "quality"}
    assert {d.reason for d in selection.drops} == {
        "has quality 6.0, less than 8.0",
        "has quality unknown, less than 8.0",
    }


def test_a_floor_is_of_one_complexity() -> None:
    by = router(Floor(complexity="complex", min_quality=80))
    assert names(select(by, request("fast"), "simple")) == {"small", "large", "plain"}


def test_the_cost_ceiling_is_of_the_whole_request_by_estimate() -> None:
    by = router(Floor(complexity="complex", max_cost=5_000))
    selection = select(by, request("fast", max_output_tokens=100), tokens=100)
    assert names(selection) == {"small", "large"}
    assert reasons(selection) == {"plain": "cost"}
    assert names(select(by, request("fast", max_output_tokens=100), tokens=1_000)) == {"small"}


def test_the_latency_ceiling_goes_by_what_is_expected_and_then_by_what_was_measured() -> None:
    clock = ManualClock()
    seen = Seen.nothing(clock)
    by = router(Floor(complexity="complex", max_latency_ms=1_000), seen=seen)
    assert names(select(by, request("fast"))) == {"small", "plain"}
    (small,) = (c for c in select(by, request("small")).candidates)
    seen.latencies.measured(small, 1.2, stream=True)
    selection = select(by, request("fast"))
    assert names(selection) == {"plain"}
    assert reasons(selection) == {"small": "latency", "large": "latency"}
    clock.now += 15
    assert names(select(by, request("fast"))) == {"small", "plain"}, "who was slow is tried again"


@pytest.mark.parametrize(("ms", "expected"), [("500", {"small", "plain"}), ("9000", None)])
def test_the_callers_header_tightens_and_never_widens(ms: str, expected: set[str] | None) -> None:
    by = router(Floor(complexity="complex", max_latency_ms=1_000))
    asked = request("fast", headers={"x-penstock-max-latency-ms": ms})
    assert names(select(by, asked)) == (expected or {"small", "plain"})


def test_the_callers_header_holds_without_a_floor() -> None:
    asked = request("fast", headers={"x-penstock-max-latency-ms": " 500 "})
    assert names(select(router(), asked)) == {"small", "plain"}


@pytest.mark.parametrize("value", ["", "soon", "0", "-5", "1.5", "9" * 30, "\u0665"])
def test_a_header_that_is_no_number_of_milliseconds_is_the_callers_error(value: str) -> None:
    with pytest.raises(MalformedRequest, match="x-penstock-max-latency-ms"):
        select(router(), request("fast", headers={"x-penstock-max-latency-ms": value}))


def test_where_nobody_fits_the_cheapest_serves() -> None:
    by = router(Floor(complexity="complex", min_quality=99))
    selection = select(by, request("fast"))
    assert [c.model.name for c in selection.candidates] == ["small", "large", "plain"]
    assert all(drop.last for drop in selection.drops)
    assert set(reasons(selection).values()) == {"quality"}


def test_the_cheapest_is_of_all_priorities() -> None:
    floor = Floor(complexity="complex", min_quality=99)
    fast = tier("fast", "p/large", candidate("p/small", priority=1), floors=(floor,))
    ruling = policy("fast")
    whole = config((provider("p", SMALL, LARGE),), (fast,), ruling)
    selection = select(Router(whole, ruling, Random(1), ManualClock()), request("fast"))
    assert [c.model.name for c in selection.candidates] == ["small", "large"]


def test_where_nobody_fits_a_tier_may_reject_and_says_who_lacks_what() -> None:
    by = router(Floor(complexity="complex", min_quality=99), on_no_fit="Reject")
    with pytest.raises(NoFit, match=r"shop/p/small has quality 6\.0, less than 9\.9") as caught:
        select(by, request("fast"))
    error = caught.value
    assert (error.status, error.code, error.error_type) == (400, "no_model_fits", "policy_no_fit")
    assert error.should_retry is False


def test_who_names_a_model_has_chosen_for_himself() -> None:
    by = router(Floor(complexity="complex", min_quality=99), on_no_fit="Reject")
    assert names(select(by, request("small"))) == {"small"}


def test_a_fallback_tier_that_fits_serves_before_one_that_does_not() -> None:
    floor = Floor(complexity="complex", min_quality=80)
    fast = tier("fast", "p/small", floors=(floor,), on_no_fit="Reject", fallback=("deep",))
    deep = tier("deep", "p/large", floors=(floor,))
    ruling = policy("fast", "deep")
    by = Router(
        config((provider("p", SMALL, LARGE),), (fast, deep), ruling),
        ruling,
        Random(1),
        ManualClock(),
    )
    assert names(select(by, request("fast"))) == {"large"}


facts = st.tuples(
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 50),
    st.none() | st.integers(1, 3000),
)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(facts, min_size=1, max_size=6),
    facts,
    st.integers(0, 100_000),
)
def test_never_zero_candidates_whatever_is_demanded(
    models: list[tuple[int | None, int | None, int | None]],
    demanded: tuple[int | None, int | None, int | None],
    tokens: int,
) -> None:
    offered = [
        priced(f"m{place}", price, quality=quality, expected_latency_ms=ms)
        for place, (quality, price, ms) in enumerate(models)
    ]
    quality, cost, ms = demanded
    floor = Floor(complexity="complex", min_quality=quality, max_cost=cost, max_latency_ms=ms)
    fast = tier("fast", *(candidate(f"p/{m.name}") for m in offered), floors=(floor,))
    ruling = policy("fast")
    whole = config((provider("p", *offered),), (fast,), ruling)
    selection = select(
        Router(whole, ruling, Random(1), ManualClock()), request("fast"), tokens=tokens
    )
    served = {c.label for c in selection.candidates}
    gone = {d.candidate for d in selection.drops if not d.last}
    assert served
    assert served | gone == {f"shop/p/{m.name}" for m in offered}
    assert not served & gone


def test_answers_are_kept_by_complexity_where_a_tier_has_floors() -> None:
    easy, hard = Classification("chat", "simple", 1.0), Classification("chat", "expert", 1.0)
    choosy, plain = router(Floor(complexity="expert", min_quality=90)), router()
    route = choosy.route(request("fast"), CALLER, 100, easy)
    kinds = (choosy.kind(route, easy), choosy.kind(route, hard))
    assert [kind.partition(" ")[0] for kind in kinds] == ["simple", "expert"]
    assert plain.kind(route, easy) == plain.kind(route, hard)
