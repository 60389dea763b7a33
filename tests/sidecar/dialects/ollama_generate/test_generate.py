"""A prompt of an Ollama client's: as a chat of one turn, the text in another field."""

import json
from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask, Garbled, Identity, SaidError, Unspeakable
from penstock_sidecar.dialects.events import (
    Counted,
    Ended,
    Event,
    Finished,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.ollama_generate.answer import GenerateReader, read_generated
from penstock_sidecar.dialects.ollama_generate.passage import changed_body
from penstock_sidecar.dialects.ollama_generate.read import read_generate
from penstock_sidecar.dialects.ollama_generate.reply import GenerateWriter, write_generated
from penstock_sidecar.dialects.prompt import Format, Image, Prompt, Reasoning, Sampling, Text, Turn
from penstock_sidecar.model import Usage
from penstock_sidecar.normalise.ollama import parse_generate
from tests.sidecar.dialects.ollama.given import PNG, WAV, SteppedClock

HEAD = {"model": "fast", "created_at": "2023-11-14T22:13:20.25Z"}
EVENTS: list[Event] = [
    ThoughtPiece("Hm."),
    TextPiece("Yes"),
    Finished("stop"),
    Counted(Usage(7, 3)),
    Ended(),
]


def identity() -> Identity:
    return Identity("1", 0, "fast", clock=SteppedClock(), began=100.0)


def generate(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": "Hi", **fields}


def test_a_whole_request_is_read() -> None:
    prompt = read_generate(
        generate(
            system="Be brief.",
            images=[PNG],
            format="json",
            think=True,
            stream=False,
            keep_alive=0,
            suffix="",
            template="",
            raw=False,
            context=[],
            options={"temperature": 0.2, "num_predict": 9, "num_ctx": 4096},
        )
    )
    assert prompt == Prompt(
        turns=(
            Turn("system", (Text("Be brief.", "system"),), "system"),
            Turn(
                "user", (Image(PNG, "image/png", where="images[0]"), Text("Hi", "prompt")), "prompt"
            ),
        ),
        format=Format(),
        max_output_tokens=9,
        sampling=Sampling(temperature=0.2),
        reasoning=Reasoning("medium"),
        spelled=prompt.spelled,
    )


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "return result"}, "suffix"),
        ({"template": "{{ .Prompt }}"}, "template"),
        ({"raw": True}, "raw"),
        ({"context": [1, 2, 3]}, "context"),
        ({"images": [WAV]}, "images[0]"),
        ({"width": 512}, "width"),
        ({"tools": []}, "tools"),
    ],
)
def test_what_only_who_runs_the_model_can_do_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        read_generate(generate(**fields))
    assert caught.value.param == param


def test_lines_have_the_text_in_response() -> None:
    writer = GenerateWriter(identity())
    data = b"".join(writer.write(event) for event in EVENTS)
    assert [json.loads(line) for line in data.splitlines()] == [
        {**HEAD, "response": "", "thinking": "Hm.", "done": False},
        {**HEAD, "response": "Yes", "done": False},
        {
            **HEAD,
            "response": "",
            "done": True,
            "done_reason": "stop",
            "total_duration": 1_000_000_000,
            "load_duration": 0,
            "prompt_eval_count": 7,
            "prompt_eval_duration": 500_000_000,
            "eval_count": 3,
            "eval_duration": 500_000_000,
        },
    ]


def test_a_plain_answer_is_one_document() -> None:
    assert write_generated(EVENTS, identity()) == {
        **HEAD,
        "response": "Yes",
        "thinking": "Hm.",
        "done": True,
        "done_reason": "stop",
        "total_duration": 500_000_000,
        "load_duration": 0,
        "prompt_eval_count": 7,
        "eval_count": 3,
        "eval_duration": 500_000_000,
    }


def test_ollama_s_answers_are_read() -> None:
    done = {"done": True, "done_reason": "length", "prompt_eval_count": 7, "eval_count": 3}
    document = {"model": "m", "response": "Yes", "thinking": "Hm.", **done}
    assert list(read_generated(document)) == [
        Started(model="m"),
        ThoughtPiece("Hm."),
        TextPiece("Yes"),
        Finished("length"),
        Counted(Usage(7, 3)),
        Ended(),
    ]
    reader = GenerateReader(1)
    assert list(reader.read({"model": "m", "response": "Yes", "done": False})) == [
        Started(model="m"),
        TextPiece("Yes"),
    ]
    assert list(reader.read({"response": "", **done}))[-1] == Ended()


def test_what_is_no_answer_is_not_read() -> None:
    with pytest.raises(Garbled):
        list(read_generated({"message": {"content": "Yes"}, "done": True}))
    with pytest.raises(SaidError):
        list(read_generated({"error": "out of memory"}))
    with pytest.raises(Garbled):
        list(GenerateReader(1).over())


def passed(document: dict[str, Any], *, nudge: bool = False) -> Any:
    request = parse_generate(json.dumps(document).encode(), {}, "1")
    return json.loads(
        changed_body(request, Ask("up", stream=True, max_output_tokens=5, nudge=nudge))
    )


def test_an_ollama_gets_the_caller_s_own_but_for_what_is_the_platform_s() -> None:
    asked = generate(raw=True, context=[1], suffix="x", template="t", x_new=1)
    found = passed({**asked, "keep_alive": -1, "options": {"num_ctx": 9, "seed": 1}})
    assert found == {**asked, "model": "up", "options": {"seed": 1, "num_predict": 5}}


def test_a_nudge_follows_the_prompt() -> None:
    assert passed(generate(), nudge=True)["prompt"] == f"Hi\n\n{NUDGE}"
