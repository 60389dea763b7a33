"""From a caller's request to generateContent's, whole bodies."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.features import Feature, features_of
from penstock_sidecar.dialects.gemini.write import LACKS, path_of, write_chat
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Format,
    Image,
    Part,
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import of_google
from tests.fakes.vendors.gemini_rules import complaint

NEWEST = "gemini-3.7-flash"
FORMER = "gemini-2.5-flash"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def wrote(model: str = NEWEST, most: int | None = None, **fields: Any) -> dict[str, Any]:
    """Of a request in OpenAI's dialect, and one that Google would take."""
    document = {"model": "fast", "messages": [{"role": "user", "content": "Hi"}], **fields}
    body = write_chat(read_chat(document), Ask(model, False, most, reasons=True))
    assert complaint(body, strict=model == NEWEST) is None
    return body


def of(*turns: Turn, model: str = NEWEST, **fields: Any) -> Any:
    return write_chat(Prompt(turns, **fields), Ask(model, False, None, reasons=True))


def called(id_: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"id": id_, "type": "function", "function": function, **more}


def extra(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}}


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


def test_a_signature_is_of_the_text_before_it() -> None:
    body = wrote(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Yes?", **extra("c2ln")},
            {"role": "user", "content": "So"},
        ]
    )
    assert body["contents"][1]["parts"] == [{"text": "Yes?", "thoughtSignature": "c2ln"}]


def test_signed_thoughts_keep_their_place_and_others_are_left_out() -> None:
    signed = of_google("c2ln")
    parts = (
        Thought("Hm.", signed),
        Thought("", signed),
        Thought("of Anthropic's", "EqQBCgIYAhIM"),
        Thought("", redacted="EmwKAhgBEgy3va3"),
        Thought("unsigned"),
        Text("Yes."),
        Thought("", signed),
        Thought("", signed),
    )
    body = of(Turn("user", (Text("Hi"),)), Turn("assistant", parts))
    assert body["contents"][1]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
        {"text": "Yes.", "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]


def test_a_call_without_a_signature_is_excused_since_gemini_3() -> None:
    """Another provider made it, or the caller has lost what he was given."""
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
        Turn("user", (ToolResult("a", (), "f"), ToolResult("b", (), "f"))),
        Turn("assistant", (ToolCall("c", "f", "{}", signature="EqQBCgIYAhIM"),)),
    )
    excused = "skip_thought_signature_validator"
    newest, former = of(*turns), of(*turns, model=FORMER)
    assert [
        [part.get("thoughtSignature") for part in content["parts"]]
        for content in newest["contents"]
        if content["role"] == "model"
    ] == [[excused, None], [excused]]
    assert "thoughtSignature" not in str(former)


def test_results_hold_pictures_and_failures() -> None:
    """An id that is empty is not said: older models know calls by the tool's name."""
    parts = (Text("one"), Image("AAAA", "image/png"), Text("two"))
    result = ToolResult("", parts, "f", failed=True)
    turns = (Turn("assistant", (ToolCall("", "f", ""),)), Turn("user", (Text("So?"), result)))
    assert of(*turns, model=FORMER)["contents"] == [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "name": "f",
                        "response": {"error": "one\ntwo"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                    }
                }
            ],
        },
        {"role": "user", "parts": [{"text": "So?"}]},
    ]


def test_turns_without_words_are_left_out() -> None:
    body = of(Turn("user", (Text("Hi"), Text(""))), Turn("assistant", ()), Turn("user", ()))
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://x.example/a.PNG#b", "image/png"),
        ("https://x.example/a.jpg?b=c.gif", "image/jpeg"),
        ("gs://bucket/a.heic", "image/heic"),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc-123", None),
        ("https://x.example/a.b/c", None),
    ],
)
def test_an_address_tells_its_type_where_it_ends_in_one(url: str, media_type: str | None) -> None:
    [content] = of(Turn("user", (File(url=url),)))["contents"]
    told = {} if media_type is None else {"mimeType": media_type}
    assert content["parts"] == [{"fileData": {"fileUri": url, **told}}]


@pytest.mark.parametrize(
    "url", ["http://x.example/a.png", "ftp://x/a", "file:///etc/passwd", "http://["]
)
def test_addresses_that_google_does_not_fetch_are_refused(url: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        of(Turn("user", (Image(url=url, where="messages[0].content[0].image_url"),)))
    assert caught.value.param == "messages[0].content[0].image_url"


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


def changed(**fields: Any) -> Prompt:
    return Prompt(**{"turns": (SAID,), "tools": (Tool("f", None, {}),), **fields})


def heard(*parts: Part) -> Prompt:
    return changed(turns=(Turn("user", (Text("Hi"), *parts)),))


SAID = Turn("user", (Text("Hi"),))
ASKING: dict[Feature, Prompt] = {
    Feature.IMAGE_DATA: heard(Image("AAAA", "image/png")),
    Feature.IMAGE_URL: heard(Image(url="https://x.example/y.png")),
    Feature.IMAGE_DETAIL: heard(Image("AAAA", "image/png", detail="low")),
    Feature.AUDIO: heard(Audio("AAAA", "mp3")),
    Feature.FILE_DATA: heard(File("AAAA", "application/pdf")),
    Feature.FILE_URL: heard(File(url="https://x.example/y.pdf")),
    Feature.LATE_SYSTEM: changed(turns=(SAID, Turn("system", (Text("Be brief."),)))),
    Feature.THOUGHTS: heard(Thought("Hm.")),
    Feature.SIGNED_THOUGHTS: heard(Thought("Hm.", of_google("c2ln"))),
    Feature.RESULT_IMAGES: heard(ToolResult("a", (Image("AAAA", "image/png"),), "f")),
    Feature.RESULT_FAILED: heard(ToolResult("a", (), "f", failed=True)),
    Feature.TOOLS: changed(),
    Feature.STRICT_TOOLS: changed(tools=(Tool("f", None, {}, strict=True),)),
    Feature.TOOL_REQUIRED: changed(tool_choice=ToolChoice("required")),
    Feature.TOOL_NAMED: changed(tool_choice=ToolChoice("one", "f")),
    Feature.ONE_CALL: changed(tool_choice=ToolChoice(parallel=False)),
    Feature.JSON: changed(format=Format()),
    Feature.SCHEMA: changed(format=Format(SCHEMA)),
    Feature.CHOICES: changed(sampling=Sampling(choices=2)),
    Feature.LOGPROBS: changed(sampling=Sampling(logprobs=True)),
    Feature.LOGIT_BIAS: changed(sampling=Sampling(logit_bias={"1": 5})),
    Feature.STOP: changed(sampling=Sampling(stop=("END",))),
    Feature.TEMPERATURE: changed(sampling=Sampling(temperature=0)),
    Feature.TOP_P: changed(sampling=Sampling(top_p=0)),
    Feature.TOP_K: changed(sampling=Sampling(top_k=1)),
    Feature.MIN_P: changed(sampling=Sampling(min_p=0.1)),
    Feature.SEED: changed(sampling=Sampling(seed=0)),
    Feature.FREQUENCY_PENALTY: changed(sampling=Sampling(frequency_penalty=1)),
    Feature.PRESENCE_PENALTY: changed(sampling=Sampling(presence_penalty=1)),
    Feature.REPETITION_PENALTY: changed(sampling=Sampling(repetition_penalty=1.1)),
    Feature.EFFORT: changed(reasoning=Reasoning("low")),
    Feature.REASONING_TOKENS: changed(reasoning=Reasoning(budget_tokens=2_048)),
    Feature.USER: changed(user="ann"),
}
WITHOUT: dict[Feature, Prompt] = {
    Feature.TOOLS: changed(tools=()),
    Feature.IMAGE_DETAIL: heard(Image("AAAA", "image/png")),
    Feature.RESULT_IMAGES: heard(ToolResult("a", (), "f")),
    Feature.RESULT_FAILED: heard(ToolResult("a", (), "f")),
}
"""What is compared with, where that is more than a word and a tool."""


OF_EMBEDDINGS = {
    Feature.COUNTED,
    Feature.DIMENSIONS,
    Feature.TASK,
    Feature.CUT,
    Feature.UNCUT,
}


@pytest.mark.parametrize("feature", ASKING)
def test_a_feature_is_heard_unless_the_table_says_it_is_not(feature: Feature) -> None:
    asking, ask = ASKING[feature], Ask(NEWEST, False, None, reasons=True)
    assert feature in {found for found, _ in features_of(asking)}
    plain = write_chat(WITHOUT.get(feature, changed()), ask)
    unheard = LACKS.refused | LACKS.dropped
    assert (write_chat(asking, ask) == plain) == (feature in unheard)


def test_the_table_is_of_all_features() -> None:
    assert set(Feature) - ASKING.keys() == OF_EMBEDDINGS
    assert not LACKS.refused & LACKS.dropped
    assert not (LACKS.refused | LACKS.dropped) & LACKS.altered
