"""Whatever a caller or a provider sends, it is read, or refused by name."""

from contextlib import suppress
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Garbled, SaidError, Unspeakable
from penstock_sidecar.dialects.openai_completions.answer import CompletionReader, read_completion
from penstock_sidecar.dialects.openai_completions.read import read_request as read_completion_asked
from penstock_sidecar.dialects.openai_responses.answer import READS, ResponsesReader, read_response
from penstock_sidecar.dialects.openai_responses.read import read_request
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import going_on, parse_response
from tests.sidecar.dialects.openai_responses.given import steady

KINDS = [
    *("message", "function_call", "function_call_output", "reasoning", "item_reference"),
    *("input_text", "input_image", "input_file", "input_audio", "output_text", "refusal"),
    *("function", "web_search", "json_schema", "json_object", "text"),
]
NAMES = [
    *("type", "role", "content", "output", "text", "refusal", "image_url", "detail", "file_data"),
    *("call_id", "name", "arguments", "summary", "encrypted_content", "input_audio", "data"),
    *("format", "schema", "effort", "extra_content", "google", "thought_signature", "status"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from([*KINDS, "user", "assistant", "data:image/png;base64,AA", "data:x", "", "x"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    ),
    max_leaves=12,
)
ITEMS = st.lists(
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
    | st.fixed_dictionaries(
        {"type": st.sampled_from(KINDS)},
        optional=dict.fromkeys(("role", "content", "output", "call_id", "name"), VALUES),
    )
    | st.fixed_dictionaries({"role": st.just("user"), "content": VALUES}),
    min_size=1,
    max_size=3,
)
FIELDS = [
    *("instructions", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning", "user"),
    *("max_output_tokens", "temperature", "top_logprobs", "include", "previous_response_id"),
    *("stream", "background", "conversation", "metadata", "service_tier", "cache", "n", "stop"),
    *("max_tokens", "best_of", "echo", "logprobs", "suffix", "logit_bias", "stream_options"),
]
ASKED = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3)


@steady
@example([{"role": []}], {})
@example([{"type": None, "role": "user", "content": "Hi"}], {})
@given(ITEMS | VALUES, ASKED)
def test_any_response_request_is_read_or_refused(given_: Any, more: dict[str, Any]) -> None:
    body = orjson.dumps({"model": "m", "input": given_, **more})
    with suppress(MalformedRequest, Unspeakable):
        asked = parse_response(body, {}, "c")
        unbounded_feature(asked, "openai")
        read_request(going_on(asked, [{"role": "user", "content": "Hi"}]).document)
        read_request(asked.document)


@steady
@given(VALUES, ASKED)
def test_any_completion_request_is_read_or_refused(prompt: Any, more: dict[str, Any]) -> None:
    body = orjson.dumps({"model": "m", "prompt": prompt, **more})
    with suppress(MalformedRequest, Unspeakable):
        asked = parse_completion(body, {}, "c")
        unbounded_feature(asked, "openai")
        read_completion_asked(asked.document)


_ANSWERED = st.dictionaries(
    st.sampled_from(["output", "usage", "status", "incomplete_details", "id", "model", "error"]),
    ITEMS | VALUES,
    max_size=5,
)
_EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from([*READS, "response.of_next_year"]) | VALUES},
    optional={
        "response": _ANSWERED | VALUES,
        "delta": VALUES,
        "item": VALUES,
        "output_index": VALUES,
    },
)


@steady
@example([], {"output": [{"type": []}]})
@given(st.lists(_EVENTS, max_size=5), _ANSWERED)
def test_any_answer_is_read_or_garbled(
    events: list[dict[str, Any]], answered: dict[str, Any]
) -> None:
    with suppress(Garbled, SaidError):
        list(read_response(answered))
    reader = ResponsesReader(1)
    with suppress(Garbled, SaidError):
        for event in events:
            list(reader.read(event))


@steady
@given(st.dictionaries(st.sampled_from(["choices", "usage", "id", "model", "error"]), VALUES))
def test_any_completion_is_read_or_garbled(document: dict[str, Any]) -> None:
    with suppress(Garbled, SaidError):
        list(read_completion(document))
    with suppress(Garbled, SaidError):
        list(CompletionReader(1).read(document))
