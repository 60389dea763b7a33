"""How providers differ from OpenAI: by preset, by host, and in what they are sent."""

import json
from typing import Any, get_args

import pytest

from penstock_operator.api.preset import PRESETS, PresetName
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.features import Feature
from penstock_sidecar.dialects.openai_chat.passage import changed_body
from penstock_sidecar.dialects.openai_chat.write import lacks_of, write_chat
from penstock_sidecar.dialects.prompt import Prompt, Sampling, Text, Turn
from penstock_sidecar.dialects.quirks import (
    BY_PRESET,
    CEREBRAS,
    DEEPSEEK,
    GROQ,
    MISTRAL,
    OPENAI,
    PLAIN,
    VLLM,
    Quirks,
    quirks_of,
)
from penstock_sidecar.normalise.openai import parse_chat

HI = {"role": "user", "content": "Hi"}


def passed(quirks: Quirks, most: int | None = None, **fields: Any) -> dict[str, Any]:
    """What the provider gets of a caller who speaks OpenAI's dialect."""
    body = json.dumps({"model": "m", "messages": [HI], **fields}).encode()
    request = parse_chat(body, {}, "call-1")
    ask = Ask("m", request.stream, most, quirks=quirks)
    sent = json.loads(changed_body(request, ask))
    assert isinstance(sent, dict)
    return {name: value for name, value in sent.items() if name not in {"model", "messages"}}


def written(quirks: Quirks, **sampling: Any) -> dict[str, Any]:
    """The same of one who speaks another."""
    prompt = Prompt(
        turns=(Turn("user", (Text("Hi", "messages[0]"),)),), sampling=Sampling(**sampling)
    )
    return dict(write_chat(prompt, Ask("m", True, 7, quirks=quirks)))


def test_every_preset_that_speaks_openai_s_dialect_is_known() -> None:
    speaking = {name for name in get_args(PresetName) if PRESETS[name].type == "openai"}
    assert speaking == BY_PRESET.keys()


@pytest.mark.parametrize("preset", sorted(BY_PRESET))
def test_a_preset_at_its_own_address_is_known_by_either(preset: PresetName) -> None:
    address = PRESETS[preset].base_url
    if address is not None:
        assert quirks_of(address) == BY_PRESET[preset]
    assert quirks_of("http://10.0.0.7:8000/v1", preset) == BY_PRESET[preset]


def test_the_preset_wins_over_the_host_and_azure_is_openai_anywhere() -> None:
    assert quirks_of("https://api.openai.com/v1", "vllm") == VLLM
    assert quirks_of("https://apim.example.com", None, "azure-openai") == OPENAI
    assert quirks_of("https://notmistral.ai/v1") == PLAIN
    assert quirks_of("https://api.mistral.ai/v1", "unheard-of") == MISTRAL


def test_a_closed_schema_gets_what_it_knows_under_its_own_names() -> None:
    sent = passed(
        MISTRAL,
        max_completion_tokens=9,
        seed=1,
        user="ann",
        store=True,
        stream=True,
        stream_options={"include_usage": True},
        temperature=0.5,
        unknown_to_us=1,
    )
    assert sent == {
        "max_tokens": 9,
        "random_seed": 1,
        "stream": True,
        "temperature": 0.5,
        "unknown_to_us": 1,
    }
    assert "stream_options" not in passed(MISTRAL, stream=True), "its streams hold the usage"


@pytest.mark.parametrize(
    ("own", "most", "sent"),
    [
        ({"max_completion_tokens": 9}, None, 9),
        ({"max_completion_tokens": 9}, 7, 7),
        ({"max_completion_tokens": 9, "max_tokens": 8}, None, 8),
        ({"max_completion_tokens": 8, "max_tokens": 9}, None, 8),
        ({}, 7, 7),
    ],
)
def test_a_bound_goes_by_the_one_name_that_binds(
    own: dict[str, int], most: int | None, sent: int
) -> None:
    """One that the provider does not know would bind nothing, and the money held is by it."""
    assert passed(DEEPSEEK, most, **own) == {"max_tokens": sent}


def test_instructions_reach_those_who_do_not_know_developers() -> None:
    messages = [{"role": "developer", "content": "Be brief.", "name": "x"}, HI]
    body = json.dumps({"model": "m", "messages": messages}).encode()
    request = parse_chat(body, {}, "call-1")
    ask = Ask("m", stream=False, max_output_tokens=None)
    assert changed_body(request, ask) is request.body
    sent = json.loads(changed_body(request, Ask("m", False, None, quirks=DEEPSEEK)))
    assert sent["messages"] == [{"role": "system", "content": "Be brief.", "name": "x"}, HI]


@pytest.mark.parametrize("quirks", BY_PRESET.values(), ids=BY_PRESET)
def test_where_nothing_differs_the_caller_s_bytes_pass(quirks: Quirks) -> None:
    body = b'{"model":"m", "messages":[{"role":"user","content":"Hi"}],"temperature":1.0}'
    request = parse_chat(body, {}, "call-1")
    assert changed_body(request, Ask("m", False, None, quirks=quirks)) is request.body


def test_what_only_steers_is_left_out_where_it_is_an_error() -> None:
    assert "top_k" not in passed(OPENAI, top_k=3)
    assert passed(VLLM, top_k=3) == {"top_k": 3}
    told = written(CEREBRAS, top_k=3, frequency_penalty=0.5, seed=1)
    assert told.keys() & {"top_k", "frequency_penalty", "seed"} == {"seed"}
    assert written(MISTRAL, seed=1)["random_seed"] == 1


def test_what_the_answer_would_not_be_without_is_refused_by_name() -> None:
    assert {Feature.LOGPROBS, Feature.LOGIT_BIAS, Feature.CHOICES} <= lacks_of(GROQ).refused
    assert not lacks_of(PLAIN).refused & {Feature.LOGPROBS, Feature.LOGIT_BIAS, Feature.CHOICES}
    assert passed(GROQ, logprobs=True) == {"logprobs": True}, "it names the field itself"
