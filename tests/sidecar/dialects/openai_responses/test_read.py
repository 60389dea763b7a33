"""Requests as prompts: all that has words elsewhere, and by which name the rest is refused."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.openai_responses.read import read_request
from penstock_sidecar.dialects.openai_responses.thoughts import sealed
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Format,
    Image,
    Reasoning,
    Refusal,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,BBBB"
FUNCTION = {
    "type": "function",
    "name": "f",
    "description": "Does",
    "parameters": {"type": "object"},
    "strict": True,
}


def turns(*items: Any) -> tuple[Turn, ...]:
    return read_request({"model": "m", "input": list(items)}).turns


def test_a_text_is_one_turn() -> None:
    prompt = read_request({"model": "m", "input": "Hi", "instructions": "Be brief."})
    assert prompt.turns == (
        Turn("system", (Text("Be brief.", "instructions"),), "instructions"),
        Turn("user", (Text("Hi", "input"),), "input"),
    )


def test_all_kinds_of_parts_are_read() -> None:
    content = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": PNG, "detail": "high"},
        {"type": "input_image", "image_url": "https://x.example/a.png"},
        {"type": "input_file", "file_data": PDF, "filename": "b.pdf"},
        {"type": "input_file", "file_data": "CCCC"},
        {"type": "input_file", "file_url": "https://x.example/c.pdf"},
        {"type": "input_audio", "input_audio": {"data": "DDDD", "format": "wav"}},
    ]
    where = "input[0].content"
    assert turns({"role": "user", "content": content}) == (
        Turn(
            "user",
            (
                Text("a", f"{where}[0]"),
                Image("AAAA", "image/png", detail="high", where=f"{where}[1].image_url"),
                Image(url="https://x.example/a.png", where=f"{where}[2].image_url"),
                File("BBBB", "application/pdf", name="b.pdf", where=f"{where}[3].file_data"),
                File("CCCC", "application/pdf", where=f"{where}[4].file_data"),
                File(url="https://x.example/c.pdf", where=f"{where}[5].file_url"),
                Audio("DDDD", "wav", f"{where}[6]"),
            ),
            "input[0]",
        ),
    )


def test_what_the_model_said_is_one_answer_and_results_are_one_turn() -> None:
    said = turns(
        {"type": "message", "role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": sealed("sig", None),
        },
        {
            "type": "message",
            "id": "msg_1",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "I ask.", "annotations": []},
                {"type": "refusal", "refusal": "Not more."},
            ],
        },
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "2", "name": "g", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "1", "output": "42"},
        {
            "type": "function_call_output",
            "call_id": "2",
            "output": [{"type": "input_image", "image_url": PNG}],
        },
        {"role": "user", "content": "And?"},
        {"role": "user", "content": "Well?"},
    )
    image = Image("AAAA", "image/png", where="input[7].output[0].image_url")
    assert said == (
        Turn("system", (Text("Be kind.", "input[0].content"),), "input[0]"),
        Turn("user", (Text("Hi", "input[1].content"),), "input[1]"),
        Turn(
            "assistant",
            (
                Thought("Hm.", "sig", where="input[2]"),
                Text("I ask.", "input[3].content[0]"),
                Refusal("Not more.", "input[3].content[1]"),
                ToolCall("1", "f", "{}", where="input[4].arguments"),
                ToolCall("2", "g", '{"a":1}', where="input[5].arguments"),
            ),
            "input[2]",
        ),
        Turn(
            "user",
            (
                ToolResult("1", (Text("42", "input[6].output"),), "f", where="input[6]"),
                ToolResult("2", (image,), "g", where="input[7]"),
            ),
            "input[6]",
        ),
        Turn("user", (Text("And?", "input[8].content"),), "input[8]"),
        Turn("user", (Text("Well?", "input[9].content"),), "input[9]"),
    )


def test_a_thought_that_only_openai_can_read_is_left_out() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
    assert turns({"role": "user", "content": "Hi"}, thought) == turns(
        {"role": "user", "content": "Hi"}
    )


def test_googles_signature_of_a_call_comes_back() -> None:
    extra = {"google": {"thought_signature": "abc"}}
    call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
    (turn,) = turns({**call, "extra_content": extra})
    assert turn.parts == (ToolCall("1", "f", "{}", "google:abc", "input[0].arguments"),)


def test_all_that_steers_is_read() -> None:
    prompt = read_request(
        {
            "model": "m",
            "input": "Hi",
            "tools": [FUNCTION],
            "tool_choice": {"type": "function", "name": "f"},
            "parallel_tool_calls": False,
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "n",
                    "schema": {"type": "object"},
                    "strict": True,
                    "description": "d",
                },
                "verbosity": "low",
            },
            "reasoning": {"effort": "high", "summary": "auto"},
            "max_output_tokens": 50,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_logprobs": 2,
            "include": ["message.output_text.logprobs", "reasoning.encrypted_content"],
            "user": "ada",
            "metadata": {"a": "b"},
            "store": True,
            "truncation": "auto",
            "background": False,
            "stream": True,
            "service_tier": "flex",
            "conversation": None,
        }
    )
    assert prompt.tools == (Tool("f", "Does", {"type": "object"}, strict=True, where="tools[0]"),)
    assert prompt.tool_choice == ToolChoice("one", "f", parallel=False)
    assert prompt.format == Format({"type": "object"}, "n", "d", strict=True)
    assert prompt.reasoning == Reasoning("high", shown=True)
    assert prompt.max_output_tokens == 50
    assert prompt.sampling == Sampling(temperature=0.5, top_p=0.9, logprobs=True, top_logprobs=2)
    assert prompt.user == "ada"
    assert prompt.name_of("format") == "text.format"


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        (None, ToolChoice("auto")),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
    ],
)
def test_each_choice_of_tools_is_read(choice: object, read: ToolChoice) -> None:
    assert read_request({"input": "Hi", "tool_choice": choice}).tool_choice == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({}, None),
        ({"effort": "low"}, Reasoning("low", shown=False)),
        ({"summary": "concise"}, Reasoning(shown=True)),
        ({"effort": "none", "mode": "standard", "context": "auto"}, Reasoning("none", shown=False)),
    ],
)
def test_thoughts_are_shown_where_a_summary_is_asked_for(
    given: dict[str, object], read: Reasoning | None
) -> None:
    assert read_request({"input": "Hi", "reasoning": given}).reasoning == read


def test_a_wish_for_any_json_is_one() -> None:
    assert read_request({"input": "a", "text": {"format": {"type": "json_object"}}}).format == (
        Format()
    )
    assert read_request({"input": "a", "text": {"format": {"type": "text"}}}).format is None


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"what_comes_next_year": 1}, "what_comes_next_year"),
        ({"tools": [FUNCTION, {"type": "web_search"}]}, "tools[1].type"),
        ({"tools": [{"type": "custom", "name": "c"}]}, "tools[0].type"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "auto"}}, "tool_choice"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format"),
        ({"reasoning": {"effort": "colossal"}}, "reasoning.effort"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].type"),
        ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0]"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0]",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0]",
        ),
        (
            {
                "input": [
                    {
                        "type": "function_call_output",
                        "call_id": "1",
                        "output": [{"type": "refusal", "refusal": "No"}],
                    }
                ]
            },
            "input[0].output[0]",
        ),
    ],
)
def test_what_has_no_words_elsewhere_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read_request({"model": "m", "input": "Hi", **fields})
    assert caught.value.param == param
    assert caught.value.code == "unsupported_parameter"


def test_a_former_response_that_is_not_kept_is_not_found() -> None:
    with pytest.raises(Unspeakable) as caught:
        read_request({"input": "Hi", "previous_response_id": "resp_1"})
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.public("ollama") == "Previous response with id 'resp_1' not found."
