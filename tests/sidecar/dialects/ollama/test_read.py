"""What a chat of an Ollama client asks, in no dialect's words."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.features import Feature, features_of
from penstock_sidecar.dialects.ollama.options import LOADING
from penstock_sidecar.dialects.ollama.read import read_chat
from penstock_sidecar.dialects.ollama.write import write_chat
from penstock_sidecar.dialects.openai_chat.write import write_chat as write_openai
from penstock_sidecar.dialects.prompt import (
    Format,
    Image,
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)
from tests.sidecar.dialects.ollama.given import PNG, WAV

HELLO = {"role": "user", "content": "Hi"}
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}}


def chat(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages) or [HELLO], **fields}


def call(name: str, arguments: object = None, **fields: str) -> dict[str, Any]:
    function = {"name": name, "arguments": {} if arguments is None else arguments}
    return {**fields, "function": function}


def assistant(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(calls)}


def results(prompt: Prompt) -> list[tuple[str, str]]:
    """(id of the call, name of the tool) of each."""
    parts = [part for turn in prompt.turns for part in turn.parts]
    return [(part.call_id, part.name) for part in parts if isinstance(part, ToolResult)]


def test_a_whole_request_is_read() -> None:
    prompt = read_chat(
        chat(
            {"role": "system", "content": "Be brief."},
            {"role": "User", "content": "What is it?", "images": [PNG]},
            {
                "role": "assistant",
                "content": "Let me see.",
                "thinking": "Hm.",
                "tool_calls": [call("look", {"at": "it"}, id="c1")],
            },
            {"role": "tool", "content": "42", "tool_name": "look", "tool_call_id": "c1"},
            stream=False,
            format=SCHEMA,
            think="high",
            logprobs=True,
            top_logprobs=3,
            keep_alive="24h",
            truncate=True,
            user="ann",
            tools=[
                {
                    "type": "function",
                    "function": {"name": "look", "description": "Looks.", "parameters": SCHEMA},
                }
            ],
            options={
                "temperature": 0.2,
                "top_p": 0.9,
                "top_k": 20,
                "min_p": 0.05,
                "seed": 7,
                "stop": ["END"],
                "frequency_penalty": 0.1,
                "presence_penalty": 0.3,
                "repeat_penalty": 1.2,
                "num_predict": 100,
                "num_ctx": 1_000_000,
                "mirostat": 2,
            },
        )
    )
    arguments = "messages[2].tool_calls[0].function.arguments"
    assert prompt == Prompt(
        turns=(
            Turn("system", (Text("Be brief.", "messages[0].content"),), "messages[0]"),
            Turn(
                "user",
                (
                    Image(PNG, "image/png", where="messages[1].images[0]"),
                    Text("What is it?", "messages[1].content"),
                ),
                "messages[1]",
            ),
            Turn(
                "assistant",
                (
                    Thought("Hm.", where="messages[2].thinking"),
                    Text("Let me see.", "messages[2].content"),
                    ToolCall("c1", "look", '{"at":"it"}', where=arguments),
                ),
                "messages[2]",
            ),
            Turn(
                "user",
                (
                    ToolResult(
                        "c1", (Text("42", "messages[3].content"),), "look", where="messages[3]"
                    ),
                ),
                "messages[3]",
            ),
        ),
        tools=(Tool("look", "Looks.", SCHEMA, where="tools[0]"),),
        format=Format(SCHEMA),
        max_output_tokens=100,
        sampling=Sampling(
            temperature=0.2,
            top_p=0.9,
            top_k=20,
            min_p=0.05,
            seed=7,
            frequency_penalty=0.1,
            presence_penalty=0.3,
            repetition_penalty=1.2,
            stop=("END",),
            logprobs=True,
            top_logprobs=3,
        ),
        reasoning=Reasoning("high"),
        user="ann",
        spelled=prompt.spelled,
    )


def test_features_are_named_as_the_caller_spells_them() -> None:
    prompt = read_chat(
        chat(
            {"role": "user", "content": "Hi", "images": [PNG]},
            format="json",
            think=True,
            options={"repeat_penalty": 1.2, "stop": "x", "top_k": 3},
        )
    )
    assert set(features_of(prompt)) == {
        (Feature.IMAGE_DATA, "messages[0].images[0]"),
        (Feature.JSON, "format"),
        (Feature.EFFORT, "think"),
        (Feature.REPETITION_PENALTY, "options.repeat_penalty"),
        (Feature.STOP, "options.stop"),
        (Feature.TOP_K, "options.top_k"),
    }


def test_calls_without_ids_get_them_and_results_find_them() -> None:
    """The official client leaves ids out of the conversation that it sends back."""
    prompt = read_chat(
        chat(
            HELLO,
            assistant(call("f"), call("g"), call("f")),
            {"role": "tool", "content": "g's", "tool_name": "g"},
            {"role": "tool", "content": "f's", "tool_name": "f"},
            {"role": "tool", "content": "the other f's"},
        )
    )
    assert results(prompt) == [("call_1_1", "g"), ("call_1_0", "f"), ("call_1_2", "f")]
    made = [part.id for part in prompt.turns[1].parts if isinstance(part, ToolCall)]
    assert made == ["call_1_0", "call_1_1", "call_1_2"]


def test_results_by_id_are_believed() -> None:
    prompt = read_chat(
        chat(
            assistant(call("f", id="a"), call("g", id="b")),
            {"role": "tool", "content": "", "tool_call_id": "b"},
            {"role": "tool", "content": "", "tool_name": "h", "tool_call_id": "elsewhere"},
        )
    )
    assert results(prompt) == [("b", "g"), ("elsewhere", "h")]


def test_a_result_s_picture_is_part_of_it() -> None:
    prompt = read_chat(
        chat(assistant(call("f")), {"role": "tool", "content": "see", "images": [PNG]})
    )
    (result,) = prompt.turns[1].parts
    assert isinstance(result, ToolResult)
    assert [type(part) for part in result.parts] == [Image, Text]


@pytest.mark.parametrize(
    ("think", "reasoning"),
    [
        (None, None),
        (True, Reasoning("medium")),
        (False, Reasoning("none", shown=False)),
        ("low", Reasoning("low")),
        ("max", Reasoning("xhigh")),
    ],
)
def test_thinking_has_degrees(think: object, reasoning: Reasoning | None) -> None:
    assert read_chat(chat(think=think)).reasoning == reasoning


@pytest.mark.parametrize("wanted", [None, ""])
def test_no_format_is_none(wanted: object) -> None:
    assert read_chat(chat(format=wanted)).format is None


@pytest.mark.parametrize("number", [-1, -2, 0, None])
def test_no_limit_is_none(number: object) -> None:
    assert read_chat(chat(options={"num_predict": number})).max_output_tokens is None


def test_what_asks_for_nothing_is_not_said() -> None:
    """OpenAI answers some of these with an error, and others would take a seed of -1 for one."""
    neutral = {"seed": -1, "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0, "temperature": None}
    assert read_chat(chat(options=neutral)).sampling == Sampling()


def test_how_a_model_is_loaded_is_not_said() -> None:
    options = dict.fromkeys(LOADING, 1)
    assert read_chat(chat(options=options)) == read_chat(chat())


@pytest.mark.parametrize(
    ("document", "param"),
    [
        (chat({"role": "critic", "content": ""}), "messages[0].role"),
        (chat({"role": "user", "images": [WAV]}), "messages[0].images[0]"),
        (chat({"role": "tool", "content": "42"}), "messages[0]"),
        (
            chat(assistant(call("f")), {"role": "tool", "content": "", "tool_name": "g"}),
            "messages[1]",
        ),
        (
            chat(assistant(call("f", "{}"))),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (chat(assistant({"function": {}})), "messages[0].tool_calls[0].function"),
        (chat(tools=[{"type": "function"}]), "tools[0].function"),
        (chat(format="xml"), "format"),
        (chat(think="much"), "think"),
        (chat(think=3), "think"),
        (chat(x_unknown=1), "x_unknown"),
        (chat(options={"x_unknown": 1}), "options.x_unknown"),
        (chat(options={"temperature": "hot"}), "options.temperature"),
        (chat(options={"top_k": 1.5}), "options.top_k"),
        (chat(options={"stop": [1]}), "options.stop"),
    ],
)
def test_what_no_other_dialect_could_be_told_is_named(document: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read_chat(document)
    assert caught.value.param == param


def test_openai_is_asked_in_its_words() -> None:
    prompt = read_chat(
        chat(
            {"role": "user", "content": "What is it?", "images": [PNG]},
            assistant(call("f", {"a": 1})),
            {"role": "tool", "content": "42", "tool_name": "f"},
            format=SCHEMA,
            options={"num_predict": 9, "temperature": 0, "num_ctx": 8192},
            keep_alive=-1,
        )
    )
    assert write_openai(prompt, Ask("gpt", stream=False, max_output_tokens=None)) == {
        "model": "gpt",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                    {"type": "text", "text": "What is it?"},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_1_0",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"a":1}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1_0", "content": "42"},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA},
        },
        "max_tokens": 9,
        "temperature": 0,
    }


NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=8)
TEXTS = st.text(max_size=20)
WHOLE = st.integers(-(2**53), 2**53)
OBJECTS = st.dictionaries(NAMES, WHOLE | TEXTS, max_size=3)
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user"]), "content": TEXTS},
        optional={"images": st.lists(st.just(PNG), min_size=1, max_size=2)},
    ),
    st.fixed_dictionaries(
        {"role": st.just("assistant"), "content": TEXTS},
        optional={
            "thinking": st.text(min_size=1, max_size=20),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {
                        "id": NAMES,
                        "function": st.fixed_dictionaries({"name": NAMES, "arguments": OBJECTS}),
                    }
                ),
                min_size=1,
                max_size=3,
            ),
        },
    ),
    st.fixed_dictionaries(
        {"role": st.just("tool"), "content": TEXTS, "tool_name": NAMES, "tool_call_id": NAMES}
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 100),
        "seed": st.integers(0, 2**31),
        "num_predict": st.integers(1, 1000),
        "repeat_penalty": st.floats(1.1, 2),
        "stop": st.lists(TEXTS, min_size=1, max_size=3),
    },
)
ASKED = st.fixed_dictionaries(
    {"model": st.just("m"), "messages": st.lists(MESSAGES, min_size=1, max_size=5)},
    optional={
        "options": OPTIONS,
        "format": st.just("json") | st.just(SCHEMA),
        "think": st.sampled_from([False, "low", "medium", "high"]),
        "tools": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.just("function"),
                    "function": st.fixed_dictionaries(
                        {"name": NAMES, "description": st.text(min_size=1, max_size=9)}
                    ),
                }
            ),
            min_size=1,
            max_size=2,
        ),
    },
)


@given(ASKED)
def test_what_is_read_and_written_again_asks_the_same(document: dict[str, Any]) -> None:
    """Through no dialect's words and back: nothing of a request gets lost on the way."""
    ask = Ask("m", stream=False, max_output_tokens=None, reasons=True)
    prompt = read_chat(document)
    written = write_chat(prompt, ask)
    assert read_chat(written) == prompt
