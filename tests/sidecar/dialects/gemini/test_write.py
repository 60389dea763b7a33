"""From a caller's request to generateContent's, whole bodies."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.gemini.write import path_of, write_chat
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.prompt import Prompt, Reasoning, Text, Turn
from tests.sidecar.dialects.gemini.requests import (
    FORMER,
    NEWEST,
    SCHEMA,
    called,
    extra,
    of,
    wrote,
)


def test_a_whole_conversation_becomes_contents() -> None:
    body = wrote(
        most=50,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                    {"type": "image_url", "image_url": {"url": "https://x.example/y.webp?a=b"}},
                    {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "wav"}},
                    {
                        "type": "file",
                        "file": {
                            "filename": "a.pdf",
                            "file_data": "data:application/pdf;base64,CCCC",
                        },
                    },
                ],
            },
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [
                    called("c1", '{"city":"Rome"}', **extra("c2ln")),
                    called("c2", '{"city":"Oslo"}'),
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sun"},
            {"role": "tool", "tool_call_id": "c2", "content": "snow"},
            {"role": "developer", "content": "In French."},
            {"role": "user", "content": "So?"},
        ],
        tools=[
            {
                "type": "function",
                "function": {"name": "weather", "description": "Tells.", "parameters": SCHEMA},
            },
            {"type": "function", "function": {"name": "now"}},
        ],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        temperature=0.2,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop=["END", "STOP"],
        frequency_penalty=0.1,
        presence_penalty=0.2,
        max_tokens=100,
        n=2,
        logprobs=True,
        top_logprobs=3,
        reasoning_effort="medium",
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "x", "description": "A place.", "schema": SCHEMA},
        },
        user="ann",
        min_p=0.1,
        repetition_penalty=1.1,
        metadata={"a": "b"},
    )
    assert body == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Hello"},
                    {"text": "What is it?"},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {
                        "fileData": {
                            "fileUri": "https://x.example/y.webp?a=b",
                            "mimeType": "image/webp",
                        }
                    },
                    {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "I look."},
                    {
                        "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}},
                        "thoughtSignature": "c2ln",
                    },
                    {"functionCall": {"id": "c2", "name": "weather", "args": {"city": "Oslo"}}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "c1",
                            "name": "weather",
                            "response": {"output": "sun"},
                        }
                    },
                    {
                        "functionResponse": {
                            "id": "c2",
                            "name": "weather",
                            "response": {"output": "snow"},
                        }
                    },
                ],
            },
            {"role": "user", "parts": [{"text": "So?"}]},
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "In French."}]},
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "Tells.",
                        "parametersJsonSchema": SCHEMA,
                    },
                    {"name": "now"},
                ]
            }
        ],
        "toolConfig": {
            "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["weather"]}
        },
        "generationConfig": {
            "temperature": 0.2,
            "topP": 0.9,
            "topK": 40,
            "seed": 7,
            "frequencyPenalty": 0.1,
            "presencePenalty": 0.2,
            "stopSequences": ["END", "STOP"],
            "candidateCount": 2,
            "responseLogprobs": True,
            "logprobs": 3,
            "maxOutputTokens": 50,
            "responseMimeType": "application/json",
            "responseJsonSchema": {"description": "A place.", **SCHEMA},
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "MEDIUM"},
        },
    }


def test_what_was_not_asked_for_is_not_said() -> None:
    assert wrote() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


@pytest.mark.parametrize(
    ("model", "stream", "path"),
    [
        ("gemini-3-flash", False, "/models/gemini-3-flash:generateContent"),
        ("gemini-3-flash", True, "/models/gemini-3-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-3-flash", False, "/models/gemini-3-flash:generateContent"),
        ("tunedModels/mine", False, "/tunedModels/mine:generateContent"),
        ("a?b#c", False, "/models/a%3Fb%23c:generateContent"),
    ],
)
def test_the_path_names_the_model(model: str, stream: bool, path: str) -> None:
    assert path_of(Ask(model, stream, None)) == path


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("auto", None),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
    ],
)
def test_the_choice_of_tools_is_a_mode(choice: str, calling: object) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    config = wrote(tools=tools, tool_choice=choice).get("toolConfig", {})
    assert config.get("functionCallingConfig") == calling


def test_strict_tools_are_validated() -> None:
    function = {"name": "f", "parameters": SCHEMA, "strict": True}
    body = wrote(tools=[{"type": "function", "function": function}])
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


def test_any_json_is_a_type_without_a_schema() -> None:
    body = wrote(response_format={"type": "json_object"})
    assert body["generationConfig"] == {"responseMimeType": "application/json"}


def test_a_system_message_alone_is_what_is_to_be_answered() -> None:
    body = wrote(messages=[{"role": "system", "content": "Say hi."}])
    assert body == {"contents": [{"role": "user", "parts": [{"text": "Say hi."}]}]}


def test_the_nudge_is_the_last_word() -> None:
    prompt = read_chat({"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
    body: Any = write_chat(prompt, Ask(NEWEST, False, None, nudge=True))
    assert [p["text"][:16] for p in body["contents"][0]["parts"]] == ["Hi", "Your answer was "]


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        (NEWEST, "none", {"thinkingLevel": "LOW"}),
        (NEWEST, "minimal", {"thinkingLevel": "LOW"}),
        (NEWEST, "xhigh", {"thinkingLevel": "HIGH"}),
        ("gemini-flash-latest", "high", {"thinkingLevel": "HIGH"}),
        (FORMER, "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (FORMER, "low", {"thinkingBudget": 2_048}),
        (FORMER, "xhigh", {"thinkingBudget": 24_576}),
    ],
)
def test_effort_is_a_level_since_gemini_3_and_a_budget_before(
    model: str, effort: str, thinking: dict[str, object]
) -> None:
    config = wrote(model, reasoning_effort=effort)["generationConfig"]
    assert config == {"thinkingConfig": {"includeThoughts": True, **thinking}}


def test_a_budget_of_tokens_is_a_level_since_gemini_3() -> None:
    reasoning = Reasoning(budget_tokens=4_096, shown=False)
    turn = Turn("user", (Text("Hi"),))
    by_level = of(turn, reasoning=reasoning)["generationConfig"]
    assert by_level["thinkingConfig"] == {"includeThoughts": False, "thinkingLevel": "MEDIUM"}
    by_budget = of(turn, model=FORMER, reasoning=reasoning)["generationConfig"]
    assert by_budget["thinkingConfig"] == {"includeThoughts": False, "thinkingBudget": 4_096}


def test_models_that_cannot_think_are_not_told_to() -> None:
    prompt = Prompt((Turn("user", (Text("Hi"),)),), reasoning=Reasoning("high"))
    assert "generationConfig" not in write_chat(prompt, Ask(NEWEST, False, None))


STRICT = {"type": "json_schema", "json_schema": {"strict": True, "schema": {"not": {}}}}
STRICT_TOOL = {"name": "f", "strict": True, "parameters": {"type": "object", "minProperties": 1}}


@pytest.mark.parametrize(
    ("fields", "param", "why"),
    [
        ({"response_format": STRICT}, "response_format", " with `not` in a strict schema"),
        (
            {"tools": [{"type": "function", "function": STRICT_TOOL}]},
            "tools[0]",
            " with `minProperties` in a strict schema",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [called("c", "[1]")]}]},
            "messages[0].tool_calls[0].function.arguments",
            " unless they are a JSON object",
        ),
        (
            {"messages": [{"role": "tool", "tool_call_id": "c", "content": "x"}]},
            "messages[0]",
            " unless a call before it has its id",
        ),
    ],
)
def test_what_cannot_be_said_is_named_by_the_caller_s_field(
    fields: dict[str, Any], param: str, why: str
) -> None:
    with pytest.raises(Unspeakable) as caught:
        wrote(**fields)
    assert (caught.value.param, caught.value.why) == (param, why)
