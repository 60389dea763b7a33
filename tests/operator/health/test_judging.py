"""What is said of a provider and its models, by what is known."""

from typing import Any

import pytest

from penstock_config.breaker import Record
from penstock_config.tier import Candidate, Tier
from penstock_operator.health.asking import NO_KEY
from penstock_operator.health.in_force import InForce, Reached
from penstock_operator.health.judging import (
    CandidateHealth,
    ModelHealth,
    candidates_of,
    models_of,
    verdict_of,
)
from tests.operator.health.facts import NOW_MS, facts, opened, probed, provider, standing

LAPSED = opened(left_ms=-1)


@pytest.mark.parametrize(
    ("known", "status", "reason"),
    [
        ({}, "True", "Answering"),
        ({"unprobed": NO_KEY, "probed": None}, "True", "NotProbed"),
        ({"suspended": True}, "Unknown", "NotInUse"),
        ({"provider": None}, "Unknown", "NotInUse"),
        ({"standing": None}, "True", "Answering"),
        ({"standing": None, "unprobed": NO_KEY, "probed": None}, "Unknown", "HealthUnknown"),
        ({"standing": standing(chat_a=opened())}, "False", "ModelsFailing"),
        ({"standing": standing(chat_a=LAPSED)}, "False", "ModelsFailing"),
        ({"standing": standing(chat_gone=opened())}, "True", "Answering"),
        ({"standing": standing(chat_a=Record(failed_ms=(NOW_MS,)))}, "True", "Answering"),
        ({"standing": standing(whole=opened())}, "False", "ProbesFailed"),
        ({"standing": standing(whole=LAPSED)}, "True", "Answering"),
        ({"probed": probed("failed", "TimeoutError", 2)}, "True", "Answering"),
        (
            {"standing": None, "probed": probed("failed", "TimeoutError", 3)},
            "False",
            "ProbesFailed",
        ),
        ({"probed": probed("rejected", "status 401")}, "False", "CredentialsRejected"),
    ],
)
def test_the_condition_says_the_worst_that_is_known(
    known: dict[str, Any], status: str, reason: str
) -> None:
    assert verdict_of(facts(**known))[:2] == (status, reason)


def test_the_message_names_what_fails_and_how() -> None:
    records = standing(chat_a=opened("provider_empty"), embeddings_b=opened("provider_timeout"))
    message = verdict_of(facts(standing=records))[2]
    assert "a (chat, EmptyAnswers); b (embeddings, TimedOut)" in message


def test_a_model_is_available_while_no_endpoint_of_it_fails() -> None:
    records = standing(embeddings_a=opened("provider_rate_limited"))
    assert models_of(facts(standing=records)) == (
        ModelHealth("a", available=False, reason="RateLimited"),
        ModelHealth("b", available=True),
    )


def test_no_model_of_a_provider_that_is_out_is_available() -> None:
    found = models_of(facts(standing=standing(whole=opened())))
    assert {(each.available, each.reason) for each in found} == {(False, "ProviderFailing")}


def test_nothing_is_said_of_models_that_nobody_asks() -> None:
    assert models_of(facts(provider=None)) == ()


def test_a_tiers_candidates_are_as_their_models_and_those_that_do_not_serve_are_not() -> None:
    tier = Tier(
        id="llm/fast",
        name="fast",
        candidates=(
            Candidate(provider="llm/own", model="a"),
            Candidate(provider="llm/own", model="b"),
        ),
    )
    now = InForce({"llm/own": Reached(provider())})
    models = {"llm/own": models_of(facts(standing=standing(chat_a=opened())))}
    named = [("llm/own", "a"), ("llm/own", "b"), ("llm/own", "c")]
    assert candidates_of(named, tier, now, models) == (
        CandidateHealth("llm/own", "a", available=False, reason="TimedOut"),
        CandidateHealth("llm/own", "b", available=True),
        CandidateHealth("llm/own", "c", available=False, reason="NotServed"),
    )
    assert candidates_of(named, None, now, models) is None
