import json

import openai
import pytest

from penstock_cli.stub import EMPTY, Broken, Ok, Raw, Status, StubProvider, Tokens, ToolCall
from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamError,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnsupported,
)
from penstock_sidecar.model import Usage
from tests.sidecar.upstream.conftest import HELLO, Acme


@pytest.fixture
def ollama(acme: Acme) -> Acme:
    acme.type, acme.keys, acme.needs_key = "ollama", (), False
    return acme


async def test_a_plain_answer_becomes_a_chat_completion(stub: StubProvider, ollama: Acme) -> None:
    stub.always(Ok("All is well.", usage=Tokens(7, 3)))
    got = await ollama.ask()
    assert got.content_type == "application/json"
    document = got.document
    assert document.pop("created")
    assert document == {
        "id": "chatcmpl-call-1",
        "object": "chat.completion",
        "model": "acme-m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "All is well.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
    }
    assert (got.usage, got.finish, got.text_bytes) == (Usage(7, 3), "stop", 12)


async def test_lines_become_events(stub: StubProvider, ollama: Acme) -> None:
    stub.always(Ok("All is well.", usage=Tokens(7, 3)))
    got = await ollama.ask(stream=True)
    assert got.content_type == "text/event-stream"
    assert got.data.endswith(b"\n\ndata: [DONE]\n\n")
    events = got.events
    choices = [event["choices"][0] for event in events]  # type: ignore[index]
    assert [choice["delta"] for choice in choices] == [
        {"role": "assistant", "content": ""},
        {"content": "All "},
        {"content": "is "},
        {"content": "well."},
        {},
    ]
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["stop"]
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert not any("usage" in event for event in events)
    assert (got.usage, got.finish, got.text_bytes) == (Usage(7, 3), "stop", 12)


async def test_usage_comes_in_an_event_without_choices_where_wanted(
    stub: StubProvider, ollama: Acme
) -> None:
    stub.always(Ok("Yes", usage=Tokens(7, 3)))
    got = await ollama.ask(stream=True, stream_options={"include_usage": True})
    assert [event["usage"] for event in got.events[:-1]] == [None] * 3
    assert got.events[-1]["choices"] == []
    assert got.events[-1]["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
    }


async def test_tool_calls_get_ids_and_arguments_as_text(stub: StubProvider, ollama: Acme) -> None:
    stub.always(Ok("", tool_calls=(ToolCall("f", '{"a":1}'), ToolCall("g"))))
    tools = [{"type": "function", "function": {"name": "f"}}]
    plain = await ollama.ask(tools=tools)
    calls = [
        {
            "id": "call_call-1_0",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
        },
        {"id": "call_call-1_1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    choice = plain.document["choices"][0]  # type: ignore[index]
    said = {"role": "assistant", "content": None, "refusal": None}
    assert choice["message"] == {**said, "tool_calls": calls}
    assert choice["finish_reason"] == "tool_calls"
    stream = await ollama.ask(stream=True, tools=tools)
    assert stream.finish == "tool_calls"
    deltas = [event["choices"][0]["delta"] for event in stream.events[1:3]]  # type: ignore[index]
    assert deltas == [{"tool_calls": [{"index": i, **call}]} for i, call in enumerate(calls)]
    assert (await stub.request()).body["tools"] == tools


async def test_thinking_becomes_reasoning_content(stub: StubProvider, ollama: Acme) -> None:
    stub.always(Ok("Yes", reasoning="Well."))
    assert b'"reasoning_content":"Well. "' in (await ollama.ask(stream=True)).data
    assert b'"reasoning_content":"Well."' in (await ollama.ask()).data


async def test_the_official_client_reads_a_translated_stream(
    stub: StubProvider, ollama: Acme
) -> None:
    stub.always(Ok("All is well."))
    got = await ollama.ask(stream=True)
    chunks = [openai.types.chat.ChatCompletionChunk.model_validate(e) for e in got.events]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == "All is well."


async def test_a_request_is_translated(stub: StubProvider, ollama: Acme) -> None:
    ollama.capabilities = ("chat", "reasoning")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    await ollama.ask(
        most=50,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What"},
                    {"type": "text", "text": "is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
        ],
        temperature=0.2,
        top_p=0.9,
        seed=7,
        stop="END",
        frequency_penalty=0.1,
        max_tokens=100,
        reasoning_effort="minimal",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
        user="ann",
        keep_alive="24h",
        parallel_tool_calls=True,
        n=1,
        logprobs=False,
    )
    assert (await stub.request()).body == {
        "model": "acme-m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What\nis it?", "images": ["AAAA"]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}}],
            },
            {"role": "tool", "content": "42", "tool_name": "f", "tool_call_id": "c1"},
        ],
        "stream": False,
        "format": schema,
        "options": {
            "temperature": 0.2,
            "top_p": 0.9,
            "seed": 7,
            "stop": ["END"],
            "frequency_penalty": 0.1,
            "num_predict": 50,
        },
        "think": "low",
    }


async def test_the_stream_is_always_said(stub: StubProvider, ollama: Acme) -> None:
    """Ollama streams where nothing is said."""
    await ollama.ask()
    await ollama.ask(stream=True)
    assert [seen.body["stream"] for seen in stub.requests] == [False, True]


async def test_json_mode_and_no_tools(stub: StubProvider, ollama: Acme) -> None:
    await ollama.ask(
        response_format={"type": "json_object"},
        tools=[{"type": "function", "function": {"name": "f"}}],
        tool_choice="none",
    )
    body = (await stub.request()).body
    assert body["format"] == "json"
    assert "tools" not in body


FUNCTION = {"type": "function", "function": {"name": "f"}}


def user(part: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": [part]}]}


def called(arguments: str) -> dict[str, object]:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return {"messages": [{"role": "assistant", "content": None, "tool_calls": [call]}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"x_unknown": 1}, "x_unknown"),
        ({"options": {"num_ctx": 1_000_000}}, "options"),
        ({"response_format": {"type": "grammar"}}, "response_format"),
        ({"tools": [FUNCTION], "tool_choice": "required"}, "tool_choice"),
        ({"tools": [FUNCTION], "parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"tools": [{"type": "custom"}]}, "tools[0].type"),
        (
            user({"type": "image_url", "image_url": {"url": "https://x/y.png"}}),
            "messages[0].content[0].image_url",
        ),
        (user({"type": "input_audio", "input_audio": {}}), "messages[0].content[0]"),
        (called("[1]"), "messages[0].tool_calls[0].function.arguments"),
        (called("{"), "messages[0].tool_calls[0].function.arguments"),
    ],
)
async def test_what_ollama_cannot_express_is_refused_by_name(
    stub: StubProvider, ollama: Acme, fields: dict[str, object], param: str
) -> None:
    with pytest.raises(UpstreamUnsupported) as caught:
        await ollama.ask(**fields)
    assert caught.value.param == param
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.next_candidate
    assert stub.requests == []


async def test_thinking_is_asked_only_of_models_that_can(stub: StubProvider, ollama: Acme) -> None:
    await ollama.ask(reasoning_effort="high")
    ollama.capabilities = ("chat", "reasoning")
    await ollama.ask(reasoning_effort="none")
    assert [seen.body.get("think") for seen in stub.requests] == [None, False]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (EMPTY, EmptyCompletion),
        (Status(400, "registry.ollama.ai/m does not support tools"), UpstreamRefused),
        (Status(404), UpstreamMisconfigured),
        (Status(500), UpstreamUnavailable),
        (Broken("end", 0), StreamBroken),
        (Broken("malformed", 0), StreamBroken),
        (Broken("error", 0), StreamBroken),
        (Broken("end", 1), StreamBroken),
        (Broken("error", 1), StreamBroken),
    ],
)
async def test_failures_are_told_apart(
    stub: StubProvider,
    ollama: Acme,
    behaviour: Ok | Status | Broken,
    kind: type[UpstreamError],
) -> None:
    stub.always(behaviour)
    with pytest.raises(UpstreamError) as caught:
        await ollama.ask(stream=True)
    assert type(caught.value) is kind


async def test_a_refusal_passes_on_ollama_s_words(stub: StubProvider, ollama: Acme) -> None:
    stub.always(Status(400, '"m" does not support tools'))
    with pytest.raises(UpstreamRefused, match="does not support tools"):
        await ollama.ask()


@pytest.mark.parametrize(
    ("totals", "usage"),
    [
        ({}, None),
        ({"eval_count": 5}, Usage(0, 5)),
        ({"prompt_eval_count": 0, "eval_count": 0}, Usage(0, 0)),
    ],
)
async def test_counts_that_ollama_leaves_out_are_zero_if_any_is_there(
    stub: StubProvider, ollama: Acme, totals: dict[str, int], usage: Usage | None
) -> None:
    line = {"model": "m", "message": {"content": "Yes"}, "done": True, **totals}
    stub.always(Raw((json.dumps(line).encode(),), content_type="application/x-ndjson"))
    assert (await ollama.ask(stream=True)).usage == usage


async def test_a_nudge_reaches_ollama_too(stub: StubProvider, ollama: Acme) -> None:
    await ollama.ask(nudge=True)
    messages = (await stub.request()).body["messages"]
    assert isinstance(messages, list)
    assert messages[0] == HELLO
    assert len(messages) == 2
