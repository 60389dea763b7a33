"""Which requests a conversation goes into, and how."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.model import Remembered
from penstock_sidecar.sessions.place import kept_message, place_of_turn, with_history
from penstock_sidecar.sessions.turns import Summary, Turn
from tests.sidecar.sessions.builders import asked, texts

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TEXT = {"type": "text", "text": "What is it?", "cache_control": {"type": "ephemeral"}}
SYSTEM = {"role": "system", "content": "Be kind."}


def turn(text: str, answer: str) -> Turn:
    return Turn(b"", "openai-chat", {"role": "user", "content": text}, answer, 0, 9, plain=True)


def messages_of(role: str) -> st.SearchStrategy[dict[str, Any]]:
    more = {"tool": {"tool_call_id": "c"}, "function": {"name": "f"}}.get(role, {})
    return st.just({"role": role, "content": "…", **more})


ROLES = ("system", "developer", "user", "assistant", "tool", "function")


@given(st.lists(st.sampled_from(ROLES).flatmap(messages_of), min_size=1, max_size=6))
def test_only_a_single_turn_of_the_user_s_has_a_place(messages: list[dict[str, Any]]) -> None:
    """Whatever else a client sends is a conversation of his own, and would be doubled."""
    place = place_of_turn(asked(*messages))
    roles = [each["role"] for each in messages]
    own = [role for role in roles if role not in {"system", "developer"}]
    assert place == (roles.index("user") if own == ["user"] else None)


@pytest.mark.parametrize("api", ["openai-chat", "anthropic-messages", "ollama-chat"])
def test_a_conversation_goes_before_the_turn_and_after_instructions(api: str) -> None:
    request = asked(SYSTEM, "And?", api=api)
    place = place_of_turn(request)
    assert place == 1
    former = (Summary(b"", "We met."), turn("Hi.", "Hello."))
    longer = with_history(request, place, former)
    assert texts(longer) == [
        ("system", "Be kind."),
        ("user", "In short, this is what we said before:\n\nWe met."),
        ("assistant", "I remember."),
        ("user", "Hi."),
        ("assistant", "Hello."),
        ("user", "And?"),
    ]
    assert longer.remembered == Remembered(1, 4)
    assert len(longer.body) > len(request.body)


def test_nothing_remembered_leaves_the_caller_s_own_bytes() -> None:
    request = asked("Hi.")
    assert with_history(request, 0, ()) is request


def test_results_of_tools_are_no_turn() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "3"}
    request = asked({"role": "user", "content": [result]}, api="anthropic-messages")
    assert place_of_turn(request) is None


def test_several_choices_have_no_place() -> None:
    assert place_of_turn(asked("Hi.", n=2)) is None


def test_text_in_parts_is_kept_as_one() -> None:
    request = asked({"role": "user", "name": "ada", "content": [TEXT, TEXT]})
    assert kept_message(request, 0) == {"role": "user", "content": "What is it?\nWhat is it?"}


def test_pictures_are_kept_and_marks_of_caching_are_not() -> None:
    request = asked({"role": "user", "content": [TEXT, PICTURE]})
    plain = {"type": "text", "text": "What is it?"}
    assert kept_message(request, 0) == {"role": "user", "content": [plain, PICTURE]}
    attached = {"role": "user", "content": "?", "images": ["iVBORw0KGgo="]}
    assert kept_message(asked(attached, api="ollama-chat"), 0) == attached
