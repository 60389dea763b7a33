"""What a policy's rules make of whole documents, in each dialect."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.compression import Compression
from penstock_sidecar.compression.shorten import shortened
from penstock_sidecar.model import Api

ALL = Compression(whitespace=True, duplicates=True, boilerplate=True, tool_outputs=True)
WIDE = "a  wide   text"
PASSAGE = "Returns are free within thirty days of the delivery of your order."
WORDS = st.text(alphabet=st.sampled_from(list('ab .\n`{}<>|"')), max_size=60)
SPOKEN = st.tuples(st.sampled_from(["assistant", "tool"]), WORDS)
TURNS = st.lists(st.tuples(WORDS, st.lists(SPOKEN, max_size=3)), min_size=1, max_size=5)


def chat(*messages: tuple[str, Any]) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": r, "content": c} for r, c in messages]}


def after(document: dict[str, Any], rules: Compression = ALL, api: Api = "openai-chat") -> Any:
    found = shortened(api, document, rules)
    return found.document if found else document


def test_the_last_turn_stays_and_what_came_before_is_shortened() -> None:
    document = chat(("system", WIDE), ("user", WIDE), ("assistant", WIDE), ("user", WIDE))
    said = [message["content"] for message in after(document)["messages"]]
    assert said == ["a wide text"] * 3 + [WIDE]


def test_the_last_turn_is_shortened_where_it_may_be() -> None:
    rules = Compression(whitespace=True, include_last_turn=True)
    assert after(chat(("user", WIDE)), rules)["messages"][0]["content"] == "a wide text"


def test_what_tools_gave_after_the_last_turn_is_shortened() -> None:
    document = chat(("user", WIDE), ("assistant", None), ("tool", '{"a":  1}'))
    said = [message["content"] for message in after(document)["messages"]]
    assert said == [WIDE, None, '{"a":1}']


def test_nothing_is_done_that_is_not_asked_for() -> None:
    document = chat(("system", WIDE), ("tool", '{"a":  1}'), ("user", "?"))
    assert shortened("openai-chat", document, Compression(duplicates=True)) is None


def test_a_passage_is_told_once_over_all_messages() -> None:
    document = chat(("system", PASSAGE), ("user", f"{PASSAGE}\n\nso?"), ("user", PASSAGE))
    said = [message["content"] for message in after(document)["messages"]]
    assert said == [PASSAGE, "so?", PASSAGE]


def test_a_passage_that_a_tool_found_is_told_once_too() -> None:
    more = f"{PASSAGE}\n\nGifts are excluded."
    document = chat(("user", "?"), ("tool", PASSAGE), ("tool", more))
    assert after(document)["messages"][2]["content"] == "Gifts are excluded."


def test_code_within_what_a_tool_gave_stays() -> None:
    rows = "\n".join(f"12:00:00 step {n}" for n in range(9))
    fenced = f"```\n{rows}\n{'QUJD' * 300}\n{'<p>a</p>' * 6}\n```"
    document = chat(("user", "?"), ("tool", f"{rows}\n{fenced}"))
    said = after(document)["messages"][1]["content"]
    assert said == f"12:00:00 step 0\n[7 more like these]\n12:00:00 step 8\n{fenced}"


def test_a_text_that_would_be_empty_stays() -> None:
    document = chat(("system", PASSAGE), ("assistant", PASSAGE), ("user", "?"))
    assert after(document)["messages"][1]["content"] == PASSAGE


def test_parts_that_are_no_text_stay() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA  =="}}
    parts = [{"type": "text", "text": WIDE}, picture]
    document = chat(("user", parts), ("user", "?"))
    assert after(document)["messages"][0]["content"] == [
        {"type": "text", "text": "a wide text"},
        picture,
    ]


def test_anthropics_instructions_and_results_are_found() -> None:
    result = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": "text", "text": "[ 1]"}],
    }
    document = {
        "system": [{"type": "text", "text": WIDE}],
        **chat(("user", WIDE), ("user", [result])),
    }
    found = after(document, api="anthropic-messages")
    assert found["system"][0]["text"] == "a wide text"
    assert found["messages"][0]["content"] == WIDE
    assert found["messages"][1]["content"][0]["content"][0]["text"] == "[1]"


def test_openais_items_and_instructions_are_found() -> None:
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": WIDE}]},
        {"type": "function_call_output", "call_id": "c", "output": '{"a":  1}'},
        {"role": "user", "content": WIDE},
    ]
    found = after({"instructions": WIDE, "input": items}, api="openai-responses")
    assert found["instructions"] == "a wide text"
    assert found["input"][0]["content"][0]["text"] == "a wide text"
    assert found["input"][1]["output"] == '{"a":1}'
    assert found["input"][2]["content"] == WIDE


@pytest.mark.parametrize(
    ("api", "field"), [("ollama-generate", "prompt"), ("openai-responses", "input")]
)
def test_a_lone_prompt_is_the_last_turn(api: Api, field: str) -> None:
    assert shortened(api, {field: WIDE}, ALL) is None


def test_older_turns_are_left_out_and_said_to_be() -> None:
    document = chat(*(("user", "x" * 3000),) * 4)
    found = shortened("openai-chat", document, Compression(max_history_tokens=2000))
    assert found is not None
    assert found.left_out == {0}
    assert found.document["messages"] == document["messages"][1:]


@given(TURNS, st.booleans())
def test_a_conversation_begins_the_same_as_it_goes_on(turns: Any, everything: bool) -> None:
    """So that what a provider has cached of it holds: up to the turn that was the last."""
    rules = ALL if everything else Compression(whitespace=True, duplicates=True)
    messages: list[tuple[str, str]] = [("system", WIDE)]
    before: list[Any] = []
    for said, others in turns:
        messages.append(("user", said))
        now = after(chat(*messages), rules)["messages"]
        assert now[: len(before)] == before
        before = now[:-1]
        messages += others


@given(TURNS)
def test_a_shorter_prompt_has_the_same_messages_and_none_is_longer(turns: Any) -> None:
    messages = [m for said, others in turns for m in (("user", said), *others)]
    document = chat(*messages)
    for old, new in zip(document["messages"], after(document)["messages"], strict=True):
        assert new["role"] == old["role"]
        assert len(new["content"]) <= len(old["content"])
