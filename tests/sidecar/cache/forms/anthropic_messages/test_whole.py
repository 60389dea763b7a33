"""Which messages are kept (AT17)."""

from typing import Any

import pytest

from penstock_sidecar.cache.forms.anthropic_messages import FORM
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.anthropic_messages.test_stream import message

TEXT: dict[str, Any] = {"type": "text", "text": "a"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
FIT = {
    "text": message(TEXT),
    "stopped by a sequence": message(TEXT, stop="stop_sequence"),
    "call": message(THOUGHT, CALL, stop="tool_use"),
    "hidden thought": message({"type": "redacted_thinking", "data": "x"}, TEXT),
}
UNFIT = {
    "truncated": message(TEXT, stop="max_tokens"),
    "refused": message(TEXT, stop="refusal"),
    "paused": message(TEXT, stop="pause_turn"),
    "window full": message(TEXT, stop="model_context_window_exceeded"),
    "not stopped": {**message(TEXT), "stop_reason": None},
    "stop as list": {**message(TEXT), "stop_reason": ["end_turn"]},
    "words for calls": message(TEXT, stop="tool_use"),
    "empty": message(),
    "blank": message({"type": "text", "text": " \n"}),
    "thoughts alone": message(THOUGHT),
    "no usage": {**message(TEXT), "usage": None},
    "error": {"type": "error", "error": {"type": "overloaded_error"}},
    "made in a container": {**message(TEXT), "container": {"id": "c"}},
    "content as text": {**message(), "content": "a"},
    "block as text": {**message(), "content": ["a"]},
    "block without kind": message(TEXT, {"text": "a"}),
    "kind as list": message(TEXT, {"type": ["text"], "text": "a"}),
    "text as number": message({"type": "text", "text": 1}),
    "citations as text": message({**TEXT, "citations": "a"}),
    "call without name": message({"type": "tool_use", "id": "t", "input": {}}, stop="tool_use"),
    "input as text": message({**CALL, "input": "{}"}, stop="tool_use"),
    "thought without proof": message({"type": "thinking", "thinking": "hm"}, TEXT),
    "what a tool found": message({"type": "web_search_tool_result", "content": []}, TEXT),
}


@pytest.mark.parametrize("case", FIT)
def test_a_normal_end_is_whole(case: str) -> None:
    assert FORM.whole(FIT[case], request())


@pytest.mark.parametrize("case", UNFIT)
def test_at17_anything_else_is_not(case: str) -> None:
    assert not FORM.whole(UNFIT[case], request())


@pytest.mark.parametrize("field", ["container", "mcp_servers"])
def test_what_hangs_on_things_elsewhere_is_not_kept(field: str) -> None:
    assert not FORM.keeps(request({field: "a thing"}))
    assert FORM.keeps(request({field: None}))
