import json
from typing import Any

import pytest

from penstock_sidecar.cache.semantic.turn import last_turn
from penstock_sidecar.model import Api, Request
from penstock_sidecar.normalise.anthropic import parse_messages
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response

ASK = "Where is Paris?"
PARSERS = {
    "openai-chat": parse_chat,
    "openai-completions": parse_completion,
    "openai-responses": parse_response,
    "anthropic-messages": parse_messages,
    "ollama-chat": parse_ollama_chat,
    "ollama-generate": parse_generate,
}


def parsed(api: Api, **document: Any) -> Request:
    body = json.dumps({"model": "m", "max_tokens": 9, **document}).encode()
    return PARSERS[api](body, {}, "c1")


def user(content: object = ASK, **fields: object) -> dict[str, object]:
    return {"role": "user", "content": content, **fields}


def text(said: str = ASK, **fields: object) -> dict[str, object]:
    return {"type": "text", "text": said, **fields}


CONVERSATIONS: tuple[Api, ...] = ("openai-chat", "anthropic-messages", "ollama-chat")
EARLIER = [user("Hi"), {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize("api", CONVERSATIONS)
def test_of_a_conversation_it_is_the_users_last_message(api: Api) -> None:
    turn = last_turn(parsed(api, messages=[*EARLIER, user()]))
    assert turn
    assert turn.text == ASK
    assert turn.rest["messages"] == [*EARLIER, user(None)]


@pytest.mark.parametrize(
    ("api", "field"), [("openai-responses", "input"), ("ollama-generate", "prompt")]
)
def test_a_text_alone_is_a_turn_where_it_is_a_users(api: Api, field: str) -> None:
    turn = last_turn(parsed(api, **{field: ASK}))
    assert turn
    assert (turn.text, turn.rest[field]) == (ASK, None)


def test_responses_may_bring_the_whole_conversation() -> None:
    items = [*EARLIER, user([{"type": "input_text", "text": ASK}], type="message")]
    turn = last_turn(parsed("openai-responses", input=items))
    assert turn
    assert turn.text == ASK
    assert ASK not in json.dumps(turn.rest)


def test_a_prompt_to_be_completed_is_nobodys_turn() -> None:
    assert last_turn(parsed("openai-completions", prompt=ASK)) is None


@pytest.mark.parametrize("fields", [{"suffix": "}"}, {"raw": True}], ids=["suffix", "raw"])
def test_nor_is_one_to_be_gone_on_with(fields: dict[str, object]) -> None:
    assert last_turn(parsed("ollama-generate", prompt=ASK, **fields)) is None


def test_one_plain_part_is_the_same_as_its_text() -> None:
    of_part = last_turn(parsed("openai-chat", messages=[user([text()])]))
    of_text = last_turn(parsed("openai-chat", messages=[user()]))
    assert of_part
    assert of_text
    assert (of_part.text, of_part.rest) == (of_text.text, of_text.rest)


def test_what_a_part_holds_beside_its_text_still_counts() -> None:
    marked = text(cache_control={"type": "ephemeral"})
    turn = last_turn(parsed("anthropic-messages", messages=[user([marked])]))
    assert turn
    assert turn.rest["messages"] == [user([{"cache_control": {"type": "ephemeral"}}])]


@pytest.mark.parametrize(
    "messages",
    [
        [user(), {"role": "assistant", "content": "It is"}],
        [user([text(), text("And Rome?")])],
        [user([text(), {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}])],
        [user([{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}])],
        [user("Hi"), {"role": "assistant", "tool_calls": [{"id": "1"}], "content": ""}, user()],
        [user("Hi"), {"role": "assistant", "function_call": {"name": "f"}, "content": ""}, user()],
        [user("Hi"), {"role": "tool", "tool_call_id": "1", "content": "4"}, user()],
        [user("Hi"), {"role": "assistant", "content": None}, user()],
        [{"role": "system", "content": "Be brief"}],
    ],
    ids=[
        "ends with the assistant",
        "two parts",
        "a picture",
        "sound",
        "a tool was called",
        "a function was called",
        "a tool answered",
        "an empty answer before",
        "no user",
    ],
)
def test_anything_but_words_that_end_with_the_users_has_none(messages: list[object]) -> None:
    assert last_turn(parsed("openai-chat", messages=messages)) is None


def test_tools_on_offer_make_a_question_of_its_own() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert last_turn(parsed("openai-chat", messages=[user()], tools=tools)) is None


@pytest.mark.parametrize("kind", ["tool_use", "tool_result", "thinking"])
def test_blocks_that_are_no_text_have_none(kind: str) -> None:
    block = {"type": kind, "id": "1", "tool_use_id": "1", "name": "f", "input": {}, "thinking": ""}
    said = {"role": "assistant", "content": [block]}
    messages = [user("Hi"), said, user()]
    assert last_turn(parsed("anthropic-messages", messages=messages)) is None


def test_a_picture_of_ollamas_has_none() -> None:
    picture = "iVBORw0KGgo="
    assert last_turn(parsed("ollama-chat", messages=[user(images=[picture])])) is None
    assert last_turn(parsed("ollama-generate", prompt=ASK, images=[picture])) is None


def test_it_is_never_printed() -> None:
    assert ASK not in repr(last_turn(parsed("openai-chat", messages=[user()])))
