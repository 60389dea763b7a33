"""Health's part of statuses, and what is news in it."""

from dataclasses import replace
from datetime import timedelta

from penstock_operator.health.judging import CandidateHealth
from penstock_operator.health.page import (
    PROBE_TIME_SECONDS,
    own_part,
    provider_news,
    provider_status,
    tier_news,
    tier_status,
)
from tests.operator.health.facts import AT, facts, opened, probed, standing

LATER = AT + timedelta(seconds=60)
GOOD = provider_status(facts(), 1, {}, AT)
BAD = provider_status(facts(standing=standing(chat_a=opened())), 1, GOOD, LATER)
UNKNOWN = provider_status(facts(standing=None, probed=None, unprobed="no key"), 1, GOOD, LATER)


def test_it_says_since_when() -> None:
    assert BAD["conditions"][0]["lastTransitionTime"] == "2026-11-22T00:01:00Z"
    still = provider_status(facts(standing=standing(chat_b=opened())), 1, BAD, LATER)
    assert still["conditions"][0]["lastTransitionTime"] == "2026-11-22T00:01:00Z"


def test_the_same_facts_give_the_same_status() -> None:
    assert provider_status(facts(), 1, GOOD, LATER) == GOOD


def test_a_later_probe_alone_changes_nothing_for_a_while() -> None:
    soon = replace(probed(), at=AT + timedelta(seconds=PROBE_TIME_SECONDS - 1))
    assert provider_status(facts(probed=soon), 1, GOOD, LATER) == GOOD
    late = replace(probed(), at=AT + timedelta(seconds=PROBE_TIME_SECONDS))
    assert provider_status(facts(probed=late), 1, GOOD, LATER)["lastProbeTime"] == (
        "2026-11-22T00:05:00Z"
    )


def test_falling_ill_and_getting_well_is_news_and_knowing_nothing_is_not() -> None:
    ill = provider_news(BAD, GOOD)
    assert ill
    assert ill[:2] == ("Warning", "ModelsFailing")
    well = provider_news(GOOD, BAD)
    assert well
    assert well[:2] == ("Normal", "Healthy")
    assert provider_news(GOOD, {}) is None
    assert provider_news(BAD, BAD) is None
    assert provider_news(UNKNOWN, GOOD) is None
    assert provider_news(GOOD, UNKNOWN) is None
    assert provider_news(BAD, UNKNOWN) == ill


def candidate(name: str, reason: str | None = None) -> CandidateHealth:
    return CandidateHealth("llm/own", name, available=reason is None, reason=reason)


def test_a_tier_counts_its_candidates() -> None:
    status = tier_status([candidate("a"), candidate("b", "TimedOut")], 2)
    assert (status["available"], status["total"]) == (1, 2)
    assert status["candidates"][1] == {
        "provider": "llm/own",
        "model": "b",
        "available": False,
        "reason": "TimedOut",
    }
    assert tier_status(None, 3) == {"total": 3}


def test_a_tier_that_has_nobody_left_is_news_once() -> None:
    some, none = tier_status([candidate("a")], 1), tier_status([candidate("a", "TimedOut")], 1)
    lost = tier_news(none, some, AT)
    assert lost
    assert lost[:2] == ("Warning", "NoneAvailable")
    assert "TimedOut" in lost[2]
    assert tier_news(none, none, AT) is None
    back = tier_news(some, none, AT)
    assert back
    assert back[:2] == ("Normal", "Available")
    assert tier_news(some, {}, AT) is None


def test_of_a_status_health_takes_back_its_own_alone() -> None:
    others = {"type": "Accepted", "status": "True"}
    whole = {**BAD, "conditions": [others, *BAD["conditions"]], "observedGeneration": 1}
    assert own_part(whole) == BAD
