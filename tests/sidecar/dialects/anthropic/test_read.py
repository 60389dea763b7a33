"""What a messages request asks for, and which of it has no words elsewhere."""

from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.read import read_messages
from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.prompt import (
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

EXACT = {
    "type": "object",
    "properties": {"town": {"type": "string"}},
    "required": ["town"],
    "additionalProperties": False,
}


def read(**fields: Any) -> Prompt:
    messages = [{"role": "user", "content": "Hi"}]
    return read_messages({"model": "m", "max_tokens": 9, "messages": messages, **fields})


def part(block: object) -> Part:
    prompt = read(messages=[{"role": "user", "content": [block]}])
    return prompt.turns[0].parts[0]


def test_a_whole_request() -> None:
    prompt = read(
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {"role": "user", "content": "Rain?"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "r"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"town": "Ulm"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "text", "text": "no"}],
                        "is_error": True,
                    },
                    {"type": "text", "text": "So?"},
                ],
            },
            {"role": "system", "content": "Hurry."},
        ],
        tools=[{"name": "weather", "description": "Of a town.", "input_schema": EXACT}],
        tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
        output_config={"effort": "max", "format": {"type": "json_schema", "schema": EXACT}},
        metadata={"user_id": "u-1"},
        service_tier="auto",
        context_management={"edits": []},
    )
    assert prompt == Prompt(
        turns=(
            Turn("system", (Text("Be brief.", "system[0]"),), "system"),
            Turn("user", (Text("Rain?", "messages[0].content"),), "messages[0]"),
            Turn(
                "assistant",
                (
                    Thought("hm", "s", where="messages[1].content[0]"),
                    Thought("", redacted="r", where="messages[1].content[1]"),
                    Text("I look.", "messages[1].content[2]"),
                    ToolCall(
                        "t1", "weather", '{"town":"Ulm"}', where="messages[1].content[3].input"
                    ),
                ),
                "messages[1]",
            ),
            Turn(
                "user",
                (
                    ToolResult(
                        "t1",
                        (Text("no", "messages[2].content[0].content[0]"),),
                        "weather",
                        failed=True,
                        where="messages[2].content[0]",
                    ),
                    Text("So?", "messages[2].content[1]"),
                ),
                "messages[2]",
            ),
            Turn("system", (Text("Hurry.", "messages[3].content"),), "messages[3]"),
        ),
        tools=(Tool("weather", "Of a town.", EXACT, where="tools[0]"),),
        tool_choice=ToolChoice("one", "weather", parallel=False),
        format=Format(EXACT, strict=True),
        max_output_tokens=9,
        sampling=Sampling(temperature=0.5, top_p=0.9, top_k=5, stop=("END",)),
        reasoning=Reasoning("xhigh", 2000, shown=False),
        user="u-1",
        spelled=prompt.spelled,
    )
    assert prompt.name_of("stop") == "stop_sequences"


@pytest.mark.parametrize(
    ("block", "read_as"),
    [
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}},
            Image("A", "image/png"),
        ),
        ({"type": "image", "source": {"type": "url", "url": "https://x"}}, Image(url="https://x")),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "A"},
            },
            File("A", "application/pdf", name="a.pdf"),
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://x"}},
            File(url="https://x"),
        ),
        ({"type": "document", "source": {"type": "text", "data": "long"}}, Text("long")),
        (
            {"type": "document", "title": "T", "source": {"type": "text", "data": "long"}},
            Text("T\nlong"),
        ),
        (
            {
                "type": "search_result",
                "title": "T",
                "source": "https://x",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            Text("T\nhttps://x\na\nb"),
        ),
    ],
)
def test_what_a_user_shows(block: object, read_as: Any) -> None:
    found: Any = part(block)
    names = [name for name in read_as.__slots__ if name != "where"]
    assert [getattr(found, n) for n in names] == [getattr(read_as, n) for n in names]
    assert found.where.startswith("messages[0].content[0]")


def test_a_document_of_blocks_is_its_blocks() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    source = {"type": "content", "content": blocks}
    prompt = read(messages=[{"role": "user", "content": [{"type": "document", "source": source}]}])
    assert [part.text for part in prompt.turns[0].parts if isinstance(part, Text)] == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, Reasoning("none", shown=False)),
        ({"thinking": {"type": "adaptive"}}, Reasoning()),
        ({"thinking": {"type": "between_tools"}}, Reasoning()),
        ({"output_config": {"effort": "low"}}, Reasoning("low")),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, Reasoning(None, 1024)),
    ],
)
def test_how_much_to_think(fields: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert read(**fields).reasoning == reasoning


@pytest.mark.parametrize(
    ("choice", "read_as"),
    [
        (None, ToolChoice()),
        ({"type": "auto"}, ToolChoice()),
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice(parallel=False)),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
    ],
)
def test_which_tool_to_call(choice: object, read_as: ToolChoice) -> None:
    assert read(tool_choice=choice).tool_choice == read_as


def test_a_schema_is_strict_where_openai_takes_it_so() -> None:
    loose = {**EXACT, "required": []}
    tools = [{"name": "f", "input_schema": schema, "strict": True} for schema in (EXACT, loose)]
    assert [tool.strict for tool in read(tools=tools).tools] == [True, False]
    given = {"format": {"type": "json_schema", "schema": loose}}
    assert read(output_config=given).format == Format(loose)


def one(block: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [block]}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{}]}, "mcp_servers"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"of_tomorrow": 1}, "of_tomorrow"),
        ({"tools": [{"type": "web_search_20260318", "name": "w"}]}, "tools[0].type"),
        ({"tools": [{"type": "bash_20250124", "name": "bash"}]}, "tools[0].type"),
        (
            {"tools": [{"name": "f", "allowed_callers": ["code_execution_20260521"]}]},
            "tools[0].allowed_callers",
        ),
        ({"tool_choice": {"type": "some"}}, "tool_choice"),
        ({"output_config": {"effort": "utmost"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format"),
        ({"thinking": {"type": "loud"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": "9"}}, "thinking.budget_tokens"),
        ({"temperature": "warm"}, "temperature"),
        ({"stop_sequences": [1]}, "stop_sequences"),
        (one({"type": "server_tool_use"}), "messages[0].content[0]"),
        (one({"type": "image", "source": {"type": "file"}}), "messages[0].content[0].source"),
        (one({"type": "document", "source": {"type": "file"}}), "messages[0].content[0].source"),
        (
            one({"type": "document", "source": {}, "citations": {"enabled": True}}),
            "messages[0].content[0].citations",
        ),
        (
            one(
                {
                    "type": "tool_result",
                    "tool_use_id": "t",
                    "content": [{"type": "thinking", "thinking": ""}],
                }
            ),
            "messages[0].content[0].content[0]",
        ),
    ],
)
def test_what_has_no_words_elsewhere_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read(**fields)
    assert caught.value.param == param


def test_what_asks_for_nothing_is_let_pass() -> None:
    read(mcp_servers=[], inference_geo="global", container=None, speed="fast", tool_choice=None)
