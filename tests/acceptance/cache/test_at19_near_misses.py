"""AT19: what differs in spelling alone is found by the second level; what means, or asks for,
something else never is."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.cache.levels import BOTH, EXACT, level
from tests.planes.plane import Plane, chat

QUESTION = "What is the capital of France?"
PLAIN = chat(QUESTION)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


PART = {"type": "text", "text": QUESTION}


def said(text: str, **fields: Any) -> dict[str, Any]:
    return chat(text, **fields)


def turns(*turns: tuple[str, str]) -> dict[str, Any]:
    return chat() | {"messages": [{"role": role, "content": text} for role, text in turns]}


NEAR: Mapping[str, dict[str, Any]] = {
    "trailing space": said(QUESTION + " "),
    "line end": said(QUESTION + "\n"),
    "runs of spaces": said(QUESTION.replace(" ", "  ")),
    "no-break space": said(QUESTION.replace(" ", "\u00a0", 1)),
    "no mark": said(QUESTION.rstrip("?")),
    "a small letter first": said("what is the capital of France?"),
    "courtesy": said("Could you please tell me what is the capital of France?"),
    "thanks": said(f"{QUESTION} Thanks!"),
    "key order": {"messages": [{"content": QUESTION, "role": "user"}], "model": "fast"},
    "a part": chat() | {"messages": [{"role": "user", "content": [PART]}]},
    "temperature 1": said(QUESTION, temperature=1),
    "top_p 1.0": said(QUESTION, top_p=1.0),
    "n 1": said(QUESTION, n=1),
    "null": said(QUESTION, stop=None),
    "not streamed": said(QUESTION, stream=False),
}
FAR: Mapping[str, dict[str, Any]] = {
    "another name": said("What is the capital of Spain?"),
    "negated": said("What is not the capital of France?"),
    "a number": said("What is the capital of France in 1940?"),
    "order": said("What is the France of capital?"),
    "code": said("What is `the capital of France`?"),
    "temperature 0": said(QUESTION, temperature=0),
    "max_tokens": said(QUESTION, max_tokens=7),
    "seed": said(QUESTION, seed=7),
    "tools": said(QUESTION, tools=[TOOL]),
    "instructions": turns(("system", "Answer in French."), ("user", QUESTION)),
    "history": turns(("user", "Hello"), ("assistant", "Hello!"), ("user", QUESTION)),
    "another model": {**PLAIN, "model": "large"},
}


async def test_at19_near_misses_are_found_by_the_second_level(plane: Plane) -> None:
    await plane.publish(plane.config(cache=BOTH))
    first = await plane.ask(PLAIN)
    assert level(first) == "miss"
    for case, asked in NEAR.items():
        answer = await plane.ask(asked)
        exact = case in {"key order", "not streamed"}
        assert level(answer) == ("hit-exact" if exact else "hit-normalised"), case
        assert answer.body == first.body, case
    assert len(plane.main.requests) == 1


@pytest.mark.parametrize("case", FAR)
async def test_at19_a_change_of_meaning_is_a_miss(plane: Plane, case: str) -> None:
    await plane.publish(plane.config(cache=BOTH))
    assert level(await plane.ask(PLAIN)) == "miss"
    assert level(await plane.ask(FAR[case])) == "miss"
    assert level(await plane.ask(PLAIN)) == "hit-exact", "and each has its own answer"


async def test_at19_without_the_second_level_spelling_counts(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    assert level(await plane.ask(PLAIN)) == "miss"
    assert level(await plane.ask(NEAR["trailing space"])) == "miss"
    assert level(await plane.ask(NEAR["key order"])) == "hit-exact"
