"""Compression saves what it is there to save, and no fact is lost by it."""

from typing import Final

import pytest

from penstock_config.compression import Compression
from tests.eval.cache.prompts.prompt import KINDS, Kind, Prompt, pieces, text_of
from tests.eval.cache.report import compression_goals
from tests.eval.cache.shrinking import ALL_ON, LAST_TURN_KEPT, prompts, shrinkage, shrunk

LEAST_OF_A_KIND: Final = 9


def test_goals_of_compression_are_met() -> None:
    goals = list(compression_goals())
    assert [goal for goal in goals if not goal.met] == []
    assert len(goals) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_no_prompt_grows(kind: Kind) -> None:
    for rules in (ALL_ON, LAST_TURN_KEPT):
        for each in shrinkage(kind, rules).prompts:
            assert each.size_bytes[1] <= each.size_bytes[0], each.prompt.name


def test_nothing_is_shortened_that_nobody_asked_for() -> None:
    for prompt in prompts():
        assert shrunk(prompt, Compression()).pieces[0] == shrunk(prompt, Compression()).pieces[1]


def test_every_prompt_holds_its_facts_before_it_is_shortened() -> None:
    for prompt in prompts():
        assert prompt.facts
        assert prompt.missing(prompt.messages) == []


def test_there_are_many_prompts_of_each_kind_and_none_twice() -> None:
    every = prompts()
    assert len({prompt.name for prompt in every}) == len(every)
    for kind in KINDS:
        assert sum(prompt.kind == kind for prompt in every) >= LEAST_OF_A_KIND


def test_retrieved_passages_come_in_every_place() -> None:
    places = {p.name.split(":")[0].split(", ")[1] for p in prompts() if p.kind == "rag"}
    assert places == {"before", "tool", "last"}


def test_a_lost_fact_is_missed() -> None:
    prompt = Prompt("rag", "x", [{"role": "user", "content": "It costs 7 pounds."}], ("7 pounds",))
    assert prompt.missing([{"role": "user", "content": "It costs 7\npounds."}]) == []
    assert prompt.missing([{"role": "user", "content": "It costs pounds."}]) == ["7 pounds"]


def test_of_code_every_blank_counts() -> None:
    prompt = Prompt("code", "x", [{"role": "user", "content": "a  = 1"}], ("a  = 1",))
    assert prompt.missing([{"role": "user", "content": "a = 1"}]) == ["a  = 1"]


def test_pieces_are_about_tokens() -> None:
    assert pieces("It's a dog.") == 5
    assert pieces("12345") == 2
    assert pieces("\n        \n") == pieces(" ") == 1
    assert pieces("internationalisation") == 3


def test_a_turn_of_a_chat_may_have_several_lines() -> None:
    mail = next(p for p in prompts() if p.name == "mail")
    assert [message["role"] for message in mail.messages] == ["user", "assistant", "user"]
    assert "Kind regards" in text_of(mail.messages[0])
