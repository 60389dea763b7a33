"""From a caller's request to one for Anthropic, whole bodies, each one that it would take."""

from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.headers import OUR_VERSION
from penstock_sidecar.dialects.anthropic.write import LACKS, write_messages
from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.prompt import (
    File,
    Prompt,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import of_google
from penstock_sidecar.model import Api
from penstock_sidecar.upstream.plans import CALLERS
from tests.fakes.vendors.anthropic_rules import complaint

NEWEST = "claude-opus-5-5"
HEADERS = {"x-api-key": "k", "anthropic-version": OUR_VERSION}
HI = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
FUNCTION = {"name": "weather", "description": "Of a town.", "parameters": SCHEMA}
TOOLS = [{"type": "function", "function": FUNCTION}]


def accepted(prompt: Prompt, model: str, most: int | None = None, **ask: Any) -> dict[str, Any]:
    body = write_messages(prompt, Ask(model, False, most, **ask))
    assert complaint(body, HEADERS) is None
    return body


def wrote(model: str = NEWEST, most: int | None = None, **fields: Any) -> dict[str, Any]:
    """Of a request in OpenAI's dialect."""
    document = {"model": "fast", "messages": [HI], **fields}
    return accepted(read_chat(document), model, most, reasons=True)


def call(id_: str) -> dict[str, Any]:
    return {
        "id": id_,
        "type": "function",
        "function": {"name": "weather", "arguments": '{"town":"Ulm"}'},
    }


def test_a_system_message_alone_is_what_is_to_be_answered() -> None:
    body = wrote(messages=[{"role": "system", "content": "Say hi."}])
    assert body["messages"] == [{"role": "user", "content": "Say hi."}]
    assert "system" not in body


@pytest.mark.parametrize(
    ("api", "field", "nothing"),
    [
        ("openai-chat", "messages", []),
        ("openai-chat", "messages", [{"role": "system", "content": " "}]),
        ("openai-chat", "messages", [{"role": "user", "content": ""}]),
        ("openai-responses", "input", ""),
        ("openai-completions", "prompt", ""),
        ("ollama-chat", "messages", []),
        ("ollama-generate", "prompt", ""),
    ],
)
def test_where_nothing_is_said_there_is_nothing_to_answer(
    api: Api, field: str, nothing: object
) -> None:
    prompt = CALLERS[api].read({"model": "fast", field: nothing})
    with pytest.raises(Unspeakable) as caught:
        write_messages(prompt, Ask(NEWEST, False, None))
    assert caught.value.param == field


def test_a_whole_request() -> None:
    body = wrote(
        "claude-sonnet-4-5",
        most=50,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Rain?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                    {"type": "file", "file": {"file_data": "data:application/pdf;base64,BBBB"}},
                ],
            },
            {"role": "assistant", "content": "I look.", "tool_calls": [call("c1"), call("c:2")]},
            {"role": "tool", "tool_call_id": "c1", "content": "no"},
            {"role": "tool", "tool_call_id": "c:2", "content": "yes"},
            {"role": "user", "content": "So?"},
            {"role": "system", "content": "Hurry."},
        ],
        tools=TOOLS,
        parallel_tool_calls=False,
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        max_tokens=100,
        temperature=1.5,
        top_p=0.9,
        top_k=5,
        stop="END",
        user="u-1",
        seed=7,
        frequency_penalty=0.1,
    )
    assert body == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 50,
        "system": "Be brief.\n\nHurry.",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Rain?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
                    },
                    {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                    {
                        "type": "document",
                        "source": {
                            "type": "base64",
                            "media_type": "application/pdf",
                            "data": "BBBB",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"town": "Ulm"}},
                    {"type": "tool_use", "id": "c_2", "name": "weather", "input": {"town": "Ulm"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "no"},
                    {"type": "tool_result", "tool_use_id": "c_2", "content": "yes"},
                    {"type": "text", "text": "So?"},
                ],
            },
        ],
        "tools": [{"name": "weather", "description": "Of a town.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "output_config": {"format": {"type": "json_schema", "schema": CLOSED}},
        "metadata": {"user_id": "u-1"},
        "temperature": 1,
        "top_k": 5,
        "stop_sequences": ["END"],
    }


def test_a_plain_request_is_no_more_than_it_must_be() -> None:
    assert wrote() == {"model": NEWEST, "max_tokens": 4096, "messages": [HI]}


def test_a_stream_is_asked_for() -> None:
    body = write_messages(Prompt((Turn("user", (Text("Hi"),)),)), Ask(NEWEST, True, None))
    assert body["stream"] is True


@pytest.mark.parametrize(
    ("own", "most", "limit"), [(None, None, 4096), (None, 7, 7), (9, None, 9), (9, 7, 7), (5, 7, 5)]
)
def test_the_smaller_limit_counts(own: int | None, most: int | None, limit: int) -> None:
    assert wrote(most=most, max_tokens=own)["max_tokens"] == limit


def test_turns_alternate_and_nothing_is_empty() -> None:
    body = wrote(
        messages=[
            HI,
            {"role": "user", "content": "You there?"},
            {"role": "assistant", "content": ""},
            {"role": "assistant", "content": " \n"},
            {"role": "user", "content": [{"type": "text", "text": ""}]},
            {"role": "assistant", "content": "Yes."},
            HI,
        ]
    )
    assert body["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "You there?"}],
        },
        {"role": "assistant", "content": "Yes."},
        HI,
    ]


def test_a_nudge_follows_the_last_message() -> None:
    prompt = Prompt((Turn("user", (Text("Hi"),)),))
    body = accepted(prompt, NEWEST, nudge=True)
    texts = [{"type": "text", "text": "Hi"}, {"type": "text", "text": NUDGE}]
    assert body["messages"] == [{"role": "user", "content": texts}]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("auto", None),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
    ],
)
def test_which_tool_to_call(choice: object, said: object) -> None:
    body = wrote("claude-opus-4-8", tools=TOOLS, tool_choice=choice)
    assert body.get("tool_choice") == said


def test_a_strict_tool_is_closed() -> None:
    tool = {"type": "function", "function": {**FUNCTION, "strict": True}}
    assert wrote(tools=[tool])["tools"][0]["input_schema"] == CLOSED
    assert wrote(tools=[tool])["tools"][0]["strict"] is True


def test_a_tool_without_parameters_takes_an_object() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    assert wrote(tools=[tool])["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]


def test_only_thoughts_of_its_own_go_back() -> None:
    thoughts = (
        Thought("mine", "sig"),
        Thought("", redacted="red"),
        Thought("unsigned"),
        Thought("google's", of_google("g")),
    )
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (*thoughts, Text("Yes."))),
        Turn("user", (Text("So?"),)),
    )
    assert accepted(Prompt(turns), NEWEST)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "mine", "signature": "sig"},
        {"type": "redacted_thinking", "data": "red"},
        {"type": "text", "text": "Yes."},
    ]


def test_results_may_be_empty_failed_or_pictures() -> None:
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (ToolCall("a", "f", ""), ToolCall("b", "f", "{}"))),
        Turn("user", (Text("first"), ToolResult("a", ()), ToolResult("b", (), failed=True))),
    )
    assert accepted(Prompt(turns), NEWEST)["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a"},
        {"type": "tool_result", "tool_use_id": "b", "is_error": True},
        {"type": "text", "text": "first"},
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": TOOLS, "tool_choice": "required"}, "tool_choice"),
        ({"stop": ["\n"]}, "stop"),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {**call("c"), "function": {"name": "f", "arguments": "[1]"}}
                        ],
                    }
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
    ],
)
def test_what_it_cannot_do_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        wrote(**fields)
    assert caught.value.param == param


def test_a_file_must_be_a_pdf() -> None:
    file = File("AAAA", "text/csv", where="messages[0].content[0].file")
    with pytest.raises(Unspeakable, match="file"):
        accepted(Prompt((Turn("user", (file,)),)), NEWEST)


def test_what_is_lacking_is_lacking_once() -> None:
    assert not LACKS.refused & LACKS.dropped
    assert not LACKS.altered & (LACKS.refused | LACKS.dropped)
