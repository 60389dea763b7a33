"""Output items as the next request's input."""

from typing import Any

import pytest

from penstock_sidecar.responses.kept import Kept, decoded

HI = {"role": "user", "content": "Hi"}
TEXT = {"type": "output_text", "text": "Yes", "annotations": []}
REFUSAL = {"type": "refusal", "refusal": "No"}


def items(*output: Any) -> list[object]:
    return list(Kept("scope", (HI,), {"output": list(output)}).items())[1:]


def test_a_text_is_a_string_without_the_id_that_only_its_provider_knows() -> None:
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    assert items({**message, "content": [TEXT, TEXT]}) == [
        {"type": "message", "role": "assistant", "content": "YesYes"}
    ]
    assert items({**message, "content": [TEXT, REFUSAL]}) == [
        {"type": "message", "role": "assistant", "content": [TEXT, REFUSAL]}
    ]


def test_a_call_keeps_what_its_result_and_its_provider_need() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    signed = {**call, "extra_content": {"google": {}}}
    assert items({**call, "id": "fc_1", "status": "completed"}, {**signed, "id": "fc_2"}) == [
        call,
        signed,
    ]


@pytest.mark.parametrize("content", [None, ""])
def test_a_thought_that_did_not_come_along_is_left_out(content: str | None) -> None:
    assert items({"type": "reasoning", "summary": [], "encrypted_content": content}) == []


def test_a_thought_that_did_is_kept_and_so_is_a_hosted_tool_s_work() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    search = {"type": "web_search_call", "id": "ws_1"}
    assert items(thought, search) == [thought, search]


def test_what_is_encoded_is_decoded() -> None:
    kept = Kept("scope", (HI,), {"id": "resp_1", "output": []})
    assert decoded(kept.encoded()) == kept


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"scope":1,"input":[],"response":{}}'])
def test_another_version_s_is_nothing(content: bytes) -> None:
    assert decoded(content) is None


def test_nobody_can_print_what_was_said() -> None:
    assert "Hi" not in repr(Kept("scope", (HI,), {"output": [TEXT]}))
