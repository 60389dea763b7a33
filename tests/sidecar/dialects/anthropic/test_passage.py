"""From Anthropic's callers to Anthropic: the caller's own bytes, with what must differ."""

import json
from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.passage import changed_body, counted_body
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.signatures import of_google
from penstock_sidecar.normalise.anthropic import parse_count, parse_messages

HI = {"role": "user", "content": "Hi"}
DOCUMENT = {"model": "opus", "max_tokens": 2000, "messages": [HI], "of_tomorrow": [1.0]}


def changed(
    most: int | None = None, model: str = "opus", nudge: bool = False, **fields: Any
) -> Any:
    """The fields that differ from the caller's."""
    given = {**DOCUMENT, **fields}
    body = json.dumps(given, indent=1).encode()
    passed = changed_body(parse_messages(body, {}, "c"), Ask(model, False, most, nudge=nudge))
    if passed == body:
        return {}
    found = json.loads(passed)
    assert found.keys() == given.keys()
    return {name: value for name, value in found.items() if value != given[name]}


def test_bytes_pass_where_nothing_differs() -> None:
    assert changed() == changed(2000) == changed(5000) == {}


def test_the_model_has_the_provider_s_name() -> None:
    assert changed(model="claude-opus-5-5") == {"model": "claude-opus-5-5"}


@pytest.mark.parametrize(
    ("most", "thinking", "differs"),
    [
        (1500, {"type": "adaptive"}, {}),
        (1500, {"type": "enabled", "budget_tokens": 1024}, {}),
        (
            1500,
            {"type": "enabled", "budget_tokens": 1800},
            {"type": "enabled", "budget_tokens": 1499},
        ),
        (1000, {"type": "enabled", "budget_tokens": 1800}, {"type": "disabled"}),
    ],
)
def test_a_lower_limit_lowers_the_budget_of_thoughts(
    most: int, thinking: dict[str, Any], differs: dict[str, Any]
) -> None:
    wanted = {"max_tokens": most} | ({"thinking": differs} if differs else {})
    assert changed(most, thinking=thinking) == wanted


def test_a_nudge_is_one_more_message() -> None:
    assert changed(nudge=True) == {"messages": [HI, NUDGE_MESSAGE]}


def test_thoughts_that_others_had_are_left_out() -> None:
    text = {"type": "text", "text": "Yes"}
    own = {"type": "thinking", "thinking": "mine", "signature": "EqQB"}
    foreign = [
        {"type": "thinking", "thinking": "unsigned", "signature": ""},
        {"type": "thinking", "thinking": "bare"},
        {"type": "thinking", "thinking": "google's", "signature": of_google("g")},
    ]
    messages = [HI, {"role": "assistant", "content": [*foreign, own, text]}, HI]
    kept = [HI, {"role": "assistant", "content": [own, text]}, HI]
    assert changed(messages=messages) == {"messages": kept}


def test_a_count_has_the_provider_s_name_and_nothing_else() -> None:
    body = json.dumps({"model": "opus", "messages": [HI]}, indent=1).encode()
    request = parse_count(body, {}, "c")
    assert counted_body(request, Ask("opus", False, 9)) == body
    assert json.loads(counted_body(request, Ask("x", False, 9))) == {"model": "x", "messages": [HI]}
