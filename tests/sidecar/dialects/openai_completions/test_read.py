"""Legacy completions as prompts."""

from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.openai_completions.read import read_request
from penstock_sidecar.dialects.prompt import Prompt, Sampling, Text, Turn

ONE_TURN = (Turn("user", (Text("Once", "prompt"),), "prompt"),)


@pytest.mark.parametrize("prompt", ["Once", ["Once"]])
def test_a_prompt_is_one_user_turn(prompt: object) -> None:
    read = read_request({"model": "m", "prompt": prompt})
    assert read == Prompt(ONE_TURN, max_output_tokens=16, spelled=read.spelled)


def test_all_that_steers_is_read() -> None:
    read = read_request(
        {
            "model": "m",
            "prompt": "Once",
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": 50,
            "n": 2,
            "best_of": 2,
            "echo": False,
            "suffix": "",
            "logprobs": 3,
            "logit_bias": {"5": -100},
            "stop": ["\n"],
            "temperature": 0.2,
            "top_p": 0.9,
            "top_k": 4,
            "min_p": 0.1,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.25,
            "repetition_penalty": 1.1,
            "user": "ada",
            "metadata": {"a": "b"},
        }
    )
    assert read.turns == ONE_TURN
    assert (read.max_output_tokens, read.user) == (50, "ada")
    assert read.sampling == Sampling(
        temperature=0.2,
        top_p=0.9,
        top_k=4,
        min_p=0.1,
        seed=7,
        frequency_penalty=0.5,
        presence_penalty=0.25,
        repetition_penalty=1.1,
        stop=("\n",),
        choices=2,
        logprobs=True,
        top_logprobs=3,
        logit_bias={"5": -100},
    )
    assert (read.name_of("choices"), read.name_of("top_logprobs")) == ("n", "logprobs")


def test_the_chosen_token_s_probability_alone_may_be_asked_for() -> None:
    sampling = read_request({"prompt": "Once", "logprobs": 0}).sampling
    assert (sampling.logprobs, sampling.top_logprobs) == (True, None)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"suffix": "the end"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"best_of": 3, "n": 2}, "best_of"),
        ({"echo": True, "logprobs": 0}, "echo"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stop": 3}, "stop"),
        ({"guided_json": {}}, "guided_json"),
    ],
)
def test_what_has_no_words_elsewhere_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read_request({"model": "m", "prompt": "Once", **fields})
    assert caught.value.param == param
