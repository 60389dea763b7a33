"""What of a request is looked at."""

import pytest

from penstock_sidecar.classify.reading import (
    FORMER_CHARACTERS,
    MAX_CHARACTERS,
    MAX_PARTS,
    read,
)
from penstock_sidecar.normalise.anthropic import parse_messages
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response
from tests.sidecar.classify.requests import chat, in_every_api, parsed

QUESTION = "Why is the sky blue?"


@pytest.mark.parametrize("api", in_every_api(QUESTION))
def test_the_question_is_found_in_every_api(api: str) -> None:
    reading = read(in_every_api(QUESTION)[api])
    assert (reading.text, reading.characters) == (QUESTION, len(QUESTION))


def test_a_long_text_is_read_at_its_beginning_and_its_end() -> None:
    text = "begin " + "x" * 10_000_000 + " end"
    reading = read(chat(text))
    assert reading.characters == len(text)
    assert reading.text.startswith("begin x")
    assert reading.text.endswith("x end")
    assert len(reading.text) == MAX_CHARACTERS + 1


def test_of_very_many_parts_the_first_and_the_last_are_read() -> None:
    parts = [{"type": "text", "text": f"part {i}"} for i in range(10 * MAX_PARTS)]
    document = {"model": "auto", "messages": [{"role": "user", "content": parts}]}
    text = read(parsed(parse_chat, document)).text
    assert text.startswith("part 0\n")
    assert text.endswith(f"part {10 * MAX_PARTS - 1}")
    assert text.count("part") == MAX_PARTS


def test_the_last_words_count_and_those_before_are_known_by_how_they_begin() -> None:
    reading = read(chat("a" * 5000, "an answer", "and in Rust?"))
    assert reading.text == "and in Rust?"
    assert reading.former == "a" * FORMER_CHARACTERS
    assert reading.turns == 3


def test_the_turn_before_a_long_one_does_not_matter() -> None:
    assert read(chat("before", "an answer", "long " * 100)).former == ""


def test_a_tool_s_result_is_no_word_of_the_user_s() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "42 degrees"}
    call = {"type": "tool_use", "id": "t", "name": "weather", "input": {}}
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    document = {"model": "auto", "max_tokens": 9, "messages": messages}
    assert read(parsed(parse_messages, document)).text == QUESTION


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("anthropic", {"system": [{"type": "text", "text": "Be terse."}]}),
        ("anthropic", {"system": "Be terse."}),
        ("chat", {}),
    ],
)
def test_the_system_s_words_are_found(name: str, document: dict[str, object]) -> None:
    messages: list[object] = [{"role": "user", "content": QUESTION}]
    if name == "chat":
        messages.insert(0, {"role": "developer", "content": "Be terse."})
        request = parsed(parse_chat, {"model": "auto", "messages": messages})
    else:
        whole = {"model": "auto", "max_tokens": 9, "messages": messages, **document}
        request = parsed(parse_messages, whole)
    assert read(request).system == "Be terse."


def test_instructions_of_a_response_are_the_system_s_words() -> None:
    document = {"model": "auto", "input": QUESTION, "instructions": "Be terse."}
    assert read(parsed(parse_response, document)).system == "Be terse."


def test_a_prompt_of_tokens_has_no_text() -> None:
    reading = read(parsed(parse_completion, {"model": "auto", "prompt": [1, 2, 3]}))
    assert (reading.text, reading.characters) == ("", 0)


def test_words_are_not_printed() -> None:
    assert QUESTION not in repr(read(chat(QUESTION)))
