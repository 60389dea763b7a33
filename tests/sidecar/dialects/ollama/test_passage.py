"""What an Ollama gets of a caller's own bytes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.ollama.options import LOADING
from penstock_sidecar.dialects.ollama.passage import changed_body, embedding_body
from penstock_sidecar.normalise.embeddings import parse_ollama_embed
from penstock_sidecar.normalise.ollama import parse_ollama_chat

HELLO = {"role": "user", "content": "Hi"}


def passed(
    document: dict[str, Any], most: int | None = None, *, model: str = "fast", nudge: bool = False
) -> bytes:
    body = json.dumps({"model": "fast", "messages": [HELLO], **document}, indent=1).encode()
    ask = Ask(model, stream=True, max_output_tokens=most, nudge=nudge)
    return changed_body(parse_ollama_chat(body, {}, "1"), ask)


def read(*args: Any, **kwargs: Any) -> dict[str, Any]:
    document = json.loads(passed(*args, **kwargs))
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    "document",
    [{}, {"x_new": {"a": 1}}, {"options": {"num_predict": 9, "x_new": 1}}, {"options": {}}],
)
def test_bytes_are_the_caller_s_where_nothing_differs(document: dict[str, Any]) -> None:
    body = json.dumps({"model": "fast", "messages": [HELLO], **document}, indent=1).encode()
    most = document.get("options", {}).get("num_predict")
    assert passed(document, most) == body


def test_the_model_is_named_as_the_provider_names_it() -> None:
    assert read({"x_new": 1}, model="llama3.2:3b") == {
        "model": "llama3.2:3b",
        "messages": [HELLO],
        "x_new": 1,
    }


@pytest.mark.parametrize("wanted", [None, -1, -2, 0, 101, 5e8])
def test_the_limit_of_output_is_what_the_hold_covers(wanted: float | None) -> None:
    document = {"options": {"num_predict": wanted, "seed": 3}}
    assert read(document, 100)["options"] == {"num_predict": 100, "seed": 3}


@pytest.mark.parametrize("wanted", [1, 99, 100, 99.5])
def test_a_lower_limit_stays(wanted: float) -> None:
    assert read({"options": {"num_predict": wanted}}, 100)["options"] == {"num_predict": wanted}


def test_a_limit_comes_where_there_are_no_options() -> None:
    assert read({}, 100)["options"] == {"num_predict": 100}


def test_loading_is_the_platform_s_to_say() -> None:
    options = {**dict.fromkeys(LOADING, 1), "temperature": 0.5, "repeat_last_n": 3}
    assert read({"options": options, "keep_alive": "24h"}) == {
        "model": "fast",
        "messages": [HELLO],
        "options": {"temperature": 0.5, "repeat_last_n": 3},
    }


@pytest.mark.parametrize("seconds", [300, 0, -1])
def test_an_ollama_of_ours_hears_how_long_to_keep_a_model_where_bytes_are_not_the_callers(
    seconds: int,
) -> None:
    ask = Ask("llama3.2:3b", stream=True, max_output_tokens=None, keep_alive_seconds=seconds)
    for said in ({"keep_alive": "24h"}, {"keep_alive": 0}, {}):
        body = json.dumps({"model": "fast", "messages": [HELLO], **said}).encode()
        told = json.loads(changed_body(parse_ollama_chat(body, {}, "1"), ask))
        assert told == {"model": "llama3.2:3b", "messages": [HELLO], "keep_alive": seconds}
    same = json.dumps({"model": "llama3.2:3b", "messages": [HELLO]}, indent=1).encode()
    assert changed_body(parse_ollama_chat(same, {}, "1"), ask) is same


def test_a_nudge_is_one_more_message() -> None:
    assert read({}, nudge=True)["messages"] == [HELLO, NUDGE_MESSAGE]


def test_embeddings_load_no_model_anew_either() -> None:
    document = {"model": "fast", "input": "a", "keep_alive": 0, "options": {"num_ctx": 9}}
    request = parse_ollama_embed(json.dumps(document).encode(), {}, "1")
    body = embedding_body(request, Ask("fast", stream=False, max_output_tokens=0))
    assert json.loads(body) == {"model": "fast", "input": "a", "options": {}}
    body = b'{ "model":"fast", "input":"a", "options":{"seed":1}}'
    request = parse_ollama_embed(body, {}, "1")
    assert embedding_body(request, Ask("fast", stream=False, max_output_tokens=0)) is body


VALUES = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
NAMES = st.text(max_size=5).filter(lambda name: name == name.casefold())
"""Others are refused: Ollama would read them as the small ones."""
NUMBERS = st.none() | st.integers(-5, 200) | st.floats(0, 200)


@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.dictionaries(st.sampled_from([*LOADING, "top_k", "x_new"]), VALUES, max_size=4),
    NUMBERS,
    st.integers(1, 100),
)
def test_all_else_passes_as_it_is(
    fields: dict[str, Any], options: dict[str, Any], wanted: float | None, most: int
) -> None:
    reserved = {"model", "messages", "options", "keep_alive", "stream", "format", "cache", "tools"}
    fields = {name: value for name, value in fields.items() if name not in reserved}
    found = read({**fields, "options": {**options, "num_predict": wanted}}, most)
    heeded = {name: value for name, value in options.items() if name not in LOADING}
    limit = found["options"].pop("num_predict")
    assert found == {"model": "fast", "messages": [HELLO], **fields, "options": heeded}
    assert limit == (wanted if wanted and wanted >= 1 and int(wanted) <= most else most)
