"""Who is asked last, though nobody is left out."""

from random import Random

from penstock_config.tier import Tier
from penstock_sidecar.errors import UpstreamUnavailable
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.room import Endless, Lacking
from penstock_sidecar.routing.router import Router, Selection
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


class Told(Endless):
    """What is lacking, by the model's name."""

    def __init__(self, **lacks: Lacking) -> None:
        self.lacks = lacks

    def lacking(
        self,
        candidate: Candidate,
        request: Request,  # noqa: ARG002  # a `Room`'s
        input_tokens: int,  # noqa: ARG002  # a `Room`'s
    ) -> Lacking | None:
        return self.lacks.get(candidate.model.name)


def router(*tiers: Tier, **lacks: Lacking) -> Router:
    ruling = policy(*(t.name for t in tiers))
    whole = config((provider("p", "a", "b", "c", "d"),), tiers, ruling)
    return Router(whole, ruling, Random(1), ManualClock(), room=Told(**lacks))


def select(by: Router) -> Selection:
    asked = request("fast")
    return by.order(by.route(asked, CALLER, 10), asked, 10)


def names(by: Router) -> str:
    return " ".join(c.model.name for c in select(by).candidates)


FAST = tier("fast", candidate("p/a"), candidate("p/b", priority=1), fallback=("deep",))
DEEP = tier("deep", candidate("p/c"), candidate("p/d", priority=1))


def test_who_has_no_headroom_comes_after_the_next_priority_but_before_the_next_tier() -> None:
    """A tier that is saturated may wait or refuse: it must be asked before another."""
    assert names(router(FAST, DEEP, a="headroom")) == "b a c d"


def test_who_is_known_to_be_unaffordable_comes_last_in_his_tier() -> None:
    assert names(router(FAST, DEEP, a="budget", b="headroom")) == "b a c d"


def test_who_cools_comes_after_all_tiers() -> None:
    by = router(FAST, DEEP, b="headroom")
    cold = select(by).candidates[0]
    for _ in range(3):
        by.failed(cold, UpstreamUnavailable("down"), "openai-chat")
    assert names(by) == "b c d a"


def test_everybody_who_comes_late_has_a_reason_and_nobody_is_gone() -> None:
    by = router(FAST, DEEP, a="headroom", b="budget", c="headroom", d="budget")
    selection = select(by)
    assert len(selection.candidates) == 4
    assert {(d.candidate, d.kind, d.last) for d in selection.drops} == {
        ("shop/p/a", "headroom", True),
        ("shop/p/b", "budget", True),
        ("shop/p/c", "headroom", True),
        ("shop/p/d", "budget", True),
    }
