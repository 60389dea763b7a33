"""Who can go on with a text: models of texts, and models that chat."""

import json
from dataclasses import replace

import pytest

from penstock_config.provider import Capability
from penstock_sidecar.errors import CallerError, ContextTooLong
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response
from penstock_sidecar.routing.filters import sieve
from tests.sidecar.routing.builders import model, provider


def candidate(name: str, *capabilities: Capability) -> Candidate:
    own = model(name, capabilities=capabilities)
    return Candidate(provider("p", own), own, "fast", "shop/fast")


def completion() -> Request:
    return parse_completion(b'{"model":"m","prompt":"Once"}', {}, "c")


def response(**fields: object) -> Request:
    body = json.dumps({"model": "m", "input": "Hi"} | fields).encode()
    return parse_response(body, {}, "c")


def test_texts_and_chat_both_serve_a_completion() -> None:
    both = (candidate("a", "completions"), candidate("b", "chat"), candidate("c", "embeddings"))
    sieved = sieve(both, completion(), 10)
    assert [c.model.name for c in sieved.kept] == ["a", "b"]
    assert [drop.reason for drop in sieved.drops] == ["cannot do completions or chat"]


def test_where_neither_is_had_it_is_said() -> None:
    with pytest.raises(CallerError, match=r"can do completions or chat: ask") as caught:
        sieve((candidate("c", "embeddings"),), completion(), 10)
    assert caught.value.param == "model"


def test_a_model_of_texts_serves_no_response() -> None:
    with pytest.raises(CallerError, match=r"can do chat: ask"):
        sieve((candidate("a", "completions"),), response(), 10)


@pytest.mark.parametrize(
    ("fields", "lacking", "param"),
    [
        ({"text": {"format": {"type": "json_object"}}}, "json", "text.format"),
        ({"tools": [{"type": "function", "name": "f"}]}, "tools", "tools"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "vision",
            "input",
        ),
    ],
)
def test_the_field_that_nobody_can_serve_is_called_as_its_api_calls_it(
    fields: dict[str, object], lacking: str, param: str
) -> None:
    with pytest.raises(CallerError, match=f"can do {lacking}: ask") as caught:
        sieve((candidate("b", "chat"),), response(**fields), 10)
    assert caught.value.param == param


@pytest.mark.parametrize(("asked", "param"), [(completion(), "prompt"), (response(), "input")])
def test_what_is_too_long_is_called_so_too(asked: Request, param: str) -> None:
    small = candidate("b", "chat")
    small = replace(small, model=model("b", capabilities=("chat",), context_window=10))
    with pytest.raises(ContextTooLong) as caught:
        sieve((small,), asked, 1000)
    assert caught.value.param == param
