"""What the judge reads, and what his verdict means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.ensemble.judge import ANSWERS_CHARACTERS, QUESTION_CHARACTERS, asking, chosen
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.sidecar.ensemble.test_plan import request

SAID = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "First?"},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": [{"type": "text", "text": "And the second?"}]},
]


def judged(asked: Request, *answers: str) -> str:
    found = asking(asked, "judge", answers)
    assert found
    assert json.loads(found.body) == found.document
    assert "And" not in repr(found)
    messages: Any = found.document["messages"]
    return str(messages[-1]["content"])


def of_messages(**fields: Any) -> Request:
    return request(document={"model": "panel", "messages": SAID, **fields})


@pytest.mark.parametrize(
    "asked",
    [
        of_messages(),
        request(api="anthropic-messages", document={"messages": SAID[1:], "max_tokens": 9}),
        request(api="openai-responses", document={"input": "And the second?"}),
        request(api="openai-completions", document={"prompt": "And the second?"}),
        request(api="ollama-generate", document={"prompt": "And the second?"}),
    ],
    ids=lambda asked: asked.api,
)
def test_he_reads_the_last_question_and_the_answers_by_number(asked: Request) -> None:
    text = judged(asked, "Yes.", "No.")
    assert text.count("And the second?") == 1
    assert "First?" not in text
    assert "<answer 1>\nYes.\n</answer 1>" in text
    assert "<answer 2>\nNo.\n</answer 2>" in text


def test_what_he_reads_is_bounded() -> None:
    long = [{"role": "user", "content": "why " * QUESTION_CHARACTERS}]
    text = judged(request(document={"messages": long}), *["because " * 10_000] * 12)
    assert len(text) < QUESTION_CHARACTERS + ANSWERS_CHARACTERS + 1_000


@pytest.mark.parametrize(
    "document",
    [{"messages": []}, {"messages": "no list"}, {"messages": [{"role": "user", "content": []}]}],
)
def test_without_a_question_there_is_nothing_to_judge(document: dict[str, Any]) -> None:
    assert asking(request(document=document), "judge", ["a", "b"]) is None


def test_what_he_is_asked_is_a_request_like_any_other() -> None:
    found = asking(of_messages(), "judge", ["a", "b"])
    assert found
    parsed = parse_chat(found.body, {}, "call")
    assert (parsed.model, parsed.stream, parsed.tools) == ("judge", False, False)


@pytest.mark.parametrize(
    ("verdict", "index"),
    [
        ("2", 1),
        (" **3** ", 2),
        ("Answer 1 is best: 1.", 0),
        ("", None),
        ("the second", None),
        ("1 or 2", None),
        ("0", None),
        ("4", None),
        ("-1", 0),
        ("99999999999999999999999", None),
    ],
)
def test_a_verdict_names_exactly_one_of_them(verdict: str, index: int | None) -> None:
    assert chosen(verdict, 3) == index


@given(st.text(), st.integers(1, 12))
def test_no_verdict_names_who_is_not_there(verdict: str, answers: int) -> None:
    index = chosen(verdict, answers)
    assert index is None or 0 <= index < answers
