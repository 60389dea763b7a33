"""Older turns go as a whole, in steps, and never the last one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.compression.history import older_messages

TURN = 300
"""Bytes of one message: 100 tokens."""


def talk(turns: int) -> list[dict[str, Any]]:
    found = [{"role": "system", "content": "s" * 3000}]
    for number in range(turns):
        found += [
            {"role": "user", "content": str(number).ljust(TURN)},
            {"role": "assistant", "content": "a" * TURN},
        ]
    return [*found, {"role": "user", "content": "now" * 2000}]


def left_out(messages: list[dict[str, Any]], most: int) -> frozenset[int]:
    return older_messages("openai-chat", {"messages": messages}, messages, most)


def test_nothing_goes_within_the_bound() -> None:
    assert not left_out(talk(5), 1000)


def test_the_oldest_whole_turns_go_and_instructions_stay() -> None:
    assert left_out(talk(10), 1000) == {*range(1, 11)}


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_among_turns_stay_and_count_for_nothing(role: str) -> None:
    told = {"role": role, "content": "Answer in English from now on." * 100}
    messages = talk(10)
    messages[4:4] = [told, told]
    assert left_out(messages, 1000) == {1, 2, 3, *range(6, 13)}


@given(st.integers(0, 40), st.integers(300, 5000))
def test_what_stays_is_within_the_bound_and_the_last_turn_stays(turns: int, most: int) -> None:
    messages = talk(turns)
    gone = left_out(messages, most)
    kept = [message for place, message in enumerate(messages) if place not in gone]
    assert kept[0] == messages[0]
    assert kept[-1] == messages[-1]
    assert sum(len(m["content"]) for m in kept[1:-1]) // 3 <= most
    assert kept[1]["role"] == "user"


def test_the_beginning_moves_seldom() -> None:
    beginnings = {left_out(talk(turns), 1000) for turns in range(1, 41)}
    assert len(beginnings) <= 1 + 40 * 200 / 500 + 1


def test_a_call_and_what_the_tool_gave_go_together() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    gave = {"role": "tool", "tool_call_id": "1", "content": "x" * 3000}
    messages = [*talk(1)[:2], call, gave, *talk(6)[1:]]
    gone = left_out(messages, 1200)
    assert min(gone) == 1
    assert messages[max(gone) + 1]["role"] == "user"
    assert max(gone) >= 3  # the tool's


def test_a_tools_result_in_anthropics_way_begins_no_turn() -> None:
    use = {"role": "assistant", "content": [{"type": "tool_use", "id": "t"}]}
    result = {"type": "tool_result", "tool_use_id": "t", "content": "y" * 3000}
    heard = {"role": "user", "content": [result, {"type": "text", "text": "go on"}]}
    asked = {"role": "user", "content": "q" * 300}
    messages: list[Any] = [asked, use, heard, *talk(6)[1:]]
    gone = older_messages("anthropic-messages", {"messages": messages}, messages, 1200)
    assert messages[max(gone) + 1]["content"] != heard["content"]


@pytest.mark.parametrize("messages", [[], [{"role": "system", "content": "x"}], ["?", None, 3]])
def test_what_has_no_turns_has_none_to_leave_out(messages: list[Any]) -> None:
    assert not older_messages("openai-chat", {"messages": messages}, messages, 1)
