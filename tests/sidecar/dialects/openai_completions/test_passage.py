"""What of a legacy completion differs on its way to who speaks the same."""

import json
from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.openai_completions import PASSAGE, PROVIDERS
from penstock_sidecar.dialects.openai_completions.passage import changed_body
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.quirks import Quirks
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai_completions import parse_completion


def request(**fields: Any) -> Request:
    body = json.dumps({"model": "m", "prompt": "Once"} | fields, indent=1).encode()
    return parse_completion(body, {}, "call-1")


def changed(asked: Request, model: str = "m", **ask: Any) -> Any:
    fields = {"stream": asked.stream, "max_output_tokens": None, **ask}
    return json.loads(changed_body(asked, Ask(model, **fields)))


def test_the_caller_s_own_bytes_pass_where_nothing_differs() -> None:
    asked = request(prompt=[[1, 2], [3]], max_tokens=9, best_of=3, what_comes_next_year=1.0)
    assert changed_body(asked, Ask("m", stream=False, max_output_tokens=9)) is asked.body


def test_the_model_is_called_as_the_provider_calls_it() -> None:
    assert changed(request(max_tokens=9), "up") == {
        "model": "up",
        "prompt": "Once",
        "max_tokens": 9,
    }


@pytest.mark.parametrize(
    ("own", "most", "told"),
    [(None, None, 16), (None, 50, 16), (None, 5, 5), (90, 50, 50), (20, 50, 20), (0, 50, 0)],
)
def test_a_bound_is_lowered_and_the_api_s_own_is_said(
    own: int | None, most: int | None, told: int
) -> None:
    asked = request(**({} if own is None else {"max_tokens": own}))
    assert changed(asked, max_output_tokens=most)["max_tokens"] == told


def test_usage_is_asked_for_and_hidden_again() -> None:
    asked = request(stream=True)
    assert changed(asked)["stream_options"] == {"include_usage": True}
    assert PASSAGE.hides(asked, {"choices": [], "usage": {"prompt_tokens": 1}})
    wanted = request(stream=True, stream_options={"include_usage": True}, max_tokens=1)
    assert changed_body(wanted, Ask("m", stream=True, max_output_tokens=None)) is wanted.body
    assert not PASSAGE.hides(wanted, {"choices": [], "usage": {"prompt_tokens": 1}})


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("Once", f"Once\n\n{NUDGE}\n\n"),
        (["Once"], f"Once\n\n{NUDGE}\n\n"),
        ([1, 2], [1, 2]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_a_nudge_is_more_text(prompt: object, told: object) -> None:
    assert changed(request(prompt=prompt), nudge=True)["prompt"] == told


def test_what_a_provider_refuses_is_left_out() -> None:
    quirks = Quirks(drops=frozenset({"user"}))
    assert "user" not in changed(request(user="ada"), quirks=quirks)


def test_nothing_is_written_for_an_api_that_only_passes() -> None:
    with pytest.raises(NotImplementedError):
        PROVIDERS.write(Prompt(()), Ask("m", stream=False, max_output_tokens=None))
