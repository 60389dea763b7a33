"""Values that their own dialect does not know: the caller hears what they would have to be."""

from typing import Any, Final

import pytest

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.model import Api
from penstock_sidecar.upstream.plans import CALLERS

HI: Final = [{"role": "user", "content": "Hi"}]
TOOL: Final = {"type": "web_search"}


@pytest.mark.parametrize(
    ("api", "fields", "param", "must"),
    [
        ("openai-chat", {"temperature": "hot"}, "temperature", "a number"),
        ("openai-chat", {"seed": 1.5}, "seed", "a whole number"),
        ("openai-chat", {"stop": 4}, "stop", "a text or a list of texts"),
        ("openai-chat", {"tool_choice": "yes"}, "tool_choice", "`none`, `auto`, `required` or"),
        ("openai-chat", {"response_format": "json"}, "response_format", "of type `text`"),
        ("openai-chat", {"reasoning_effort": "huge"}, "reasoning_effort", "one of none, minimal"),
        ("openai-responses", {"tool_choice": "yes"}, "tool_choice", "`none`, `auto`, `required`"),
        ("openai-responses", {"text": {"format": {"type": "x"}}}, "text.format", "of type `text`"),
        ("openai-responses", {"reasoning": {"effort": "huge"}}, "reasoning.effort", "one of none"),
        ("anthropic-messages", {"top_p": "all"}, "top_p", "a number"),
        ("anthropic-messages", {"tool_choice": {"type": "x"}}, "tool_choice", "of type `auto`"),
        ("anthropic-messages", {"output_config": {"effort": 3}}, "output_config.effort", "one of"),
        (
            "anthropic-messages",
            {"output_config": {"effort": ["high"]}},
            "output_config.effort",
            "one of low",
        ),
        (
            "anthropic-messages",
            {"output_config": {"effort": {"high": 1}}},
            "output_config.effort",
            "one of low",
        ),
        ("ollama-chat", {"format": "yaml"}, "format", "`json` or a schema"),
        ("ollama-chat", {"think": "hard"}, "think", "a boolean or one of low"),
        ("ollama-chat", {"options": {"temperature": "hot"}}, "options.temperature", "a number"),
        (
            "ollama-chat",
            {"messages": [{"role": "robot"}]},
            "messages[0].role",
            "one of system, user, assistant, tool",
        ),
    ],
)
def test_a_value_is_to_be_corrected(
    api: Api, fields: dict[str, Any], param: str, must: str
) -> None:
    document = {"model": "m", "messages": HI, "input": "Hi"} | fields
    del document["input" if api != "openai-responses" else "messages"]
    with pytest.raises(Odd) as caught:
        CALLERS[api].read(document)
    said = caught.value.public("gemini")
    assert said.startswith(f"`{param}` cannot be expressed to a provider of type gemini unless it ")
    assert f"is {must}" in said
    assert said.endswith(": correct it, or ask a model of another provider")


@pytest.mark.parametrize(
    ("api", "tool", "type_"),
    [
        ("openai-chat", TOOL, "`function`"),
        ("openai-responses", TOOL, "`function`"),
        ("anthropic-messages", {"type": "function"}, "`custom` or absent"),
    ],
)
def test_a_tool_is_removed_and_not_its_type(api: Api, tool: dict[str, str], type_: str) -> None:
    document = {"model": "m", "messages": HI, "input": "Hi", "tools": [tool]}
    del document["input" if api != "openai-responses" else "messages"]
    with pytest.raises(Unspeakable) as caught:
        CALLERS[api].read(document)
    assert caught.value.public("x") == (
        f"`tools[0].type` cannot be expressed to a provider of type x unless it is {type_}:"
        " remove the tool, or ask a model of another provider"
    )
