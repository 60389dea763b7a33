"""Every dialect whose answers are texts: what is compared, and what the caller gets of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from penstock_cli.stub import Behaviour, Broken, Ok
from tests.planes.plane import Plane, chat
from tests.sidecar.ensemble.house import (
    PANEL,
    Sizes,
    figures,
    gated,
    house,
    in_turn,
    named,
    one_provider,
    panel,
    publish,
    results,
    script,
)
from tests.sidecar.http.edge import Response, exchange, post

THREE: Sizes = {"medium": (2, 3)}
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """One API; `says` reads the text of an answer."""

    path: str
    asks: Document
    says: Callable[[bytes, bool], str]

    async def ask(self, plane: Plane, *, stream: bool) -> Response:
        body = json.dumps({"model": PANEL, "stream": stream, **self.asks}).encode()
        head = post(body, path=self.path, **{"x-penstock-complexity": "medium"})
        return await exchange(plane.ports.application, head)


def events(body: bytes) -> list[Document]:
    lines = [line.removeprefix("data:").strip() for line in body.decode().splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def chat_text(body: bytes, stream: bool) -> str:
    if not stream:
        return str(json.loads(body)["choices"][0]["message"]["content"])
    deltas = [event["choices"][0]["delta"] for event in events(body) if event["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def completion_text(body: bytes, stream: bool) -> str:
    found = events(body) if stream else [json.loads(body)]
    return "".join(each["choices"][0]["text"] for each in found if each["choices"])


def response_text(body: bytes, stream: bool) -> str:
    if stream:
        pieces = [e["delta"] for e in events(body) if e["type"] == "response.output_text.delta"]
        return "".join(pieces)
    (item,) = json.loads(body)["output"]
    return str(item["content"][0]["text"])


def message_text(body: bytes, stream: bool) -> str:
    if stream:
        pieces = [e["delta"] for e in events(body) if e["type"] == "content_block_delta"]
        return "".join(piece["text"] for piece in pieces)
    return str(json.loads(body)["content"][0]["text"])


def ollama_text(body: bytes, stream: bool) -> str:
    found = events(body) if stream else [json.loads(body)]
    return "".join(each["message"]["content"] for each in found)


def generated_text(body: bytes, stream: bool) -> str:
    found = events(body) if stream else [json.loads(body)]
    return "".join(each["response"] for each in found)


SAID = chat()["messages"]
APIS = {
    "openai-chat": Spoken("/v1/chat/completions", {"messages": SAID}, chat_text),
    "openai-completions": Spoken("/v1/completions", {"prompt": "hello"}, completion_text),
    "openai-responses": Spoken("/v1/responses", {"input": "hello"}, response_text),
    "anthropic-messages": Spoken(
        "/v1/messages", {"messages": SAID, "max_tokens": 100}, message_text
    ),
    "ollama-chat": Spoken("/api/chat", {"messages": SAID}, ollama_text),
    "ollama-generate": Spoken("/api/generate", {"prompt": "hello"}, generated_text),
}


async def serving(plane: Plane, *behaviours: Behaviour) -> None:
    script(plane, *behaviours)
    numbers = range(1, len(behaviours) + 1)
    able = {"capabilities": ("chat", "completions")}
    providers = [one_provider(plane, n, named(n, **able)) for n in numbers]
    await publish(plane, house(providers, panel(list(numbers), THREE, quorum=3)))


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("api", APIS)
async def test_one_models_answer_is_given_whole_in_the_callers_dialect(
    plane: Plane, api: str, stream: bool
) -> None:
    await serving(plane, Ok("It is Lyon"), Ok("It is **Paris**"), Ok("it is paris."))
    answer = await APIS[api].ask(plane, stream=stream)
    assert answer.status == 200
    assert APIS[api].says(answer.body, stream) in {"It is **Paris**", "it is paris."}
    assert figures(answer)["agreement"] in {"0.667", "1.000"}, "Lyon may come too late"
    assert answer.headers["x-penstock-cost-usd"], "known before the first byte, in streams too"


async def test_a_stream_that_breaks_is_no_answer_and_nobody_sees_its_beginning(
    plane: Plane,
) -> None:
    cut = Broken("reset", after=3, answer=Ok("It is Lyon and more"))
    behaviours, gates = gated(cut, Ok("It is Paris"), Ok("it is paris"))
    await serving(plane, *behaviours)
    answer = await in_turn(plane, APIS["openai-chat"].ask(plane, stream=True), gates)
    assert "Lyon" not in chat_text(answer.body, stream=True)
    assert results(answer)["m1"] == "failed"


async def test_thoughts_are_not_what_is_compared(plane: Plane) -> None:
    await serving(
        plane,
        Ok("42", reasoning="Six times seven."),
        Ok("42", reasoning="Seven times six."),
        Ok("41", reasoning="Six times seven."),
    )
    answer = await APIS["openai-chat"].ask(plane, stream=True)
    assert chat_text(answer.body, stream=True) == "42"


async def test_refusals_are_answers(plane: Plane) -> None:
    no = Ok("", refusal="I cannot help with that.")
    await serving(plane, no, no, Ok("Sure"))
    answer = await APIS["openai-chat"].ask(plane, stream=False)
    assert json.loads(answer.body)["choices"][0]["message"]["refusal"].startswith("I cannot")


async def test_too_little_agreement_is_said_in_the_callers_dialect(plane: Plane) -> None:
    script(plane, Ok("A"), Ok("B"), Ok("C"))
    providers = [one_provider(plane, n) for n in (1, 2, 3)]
    strict = panel([1, 2, 3], THREE, quorum=3, min_agreement_percent=60)
    await publish(plane, house(providers, strict))
    answer = await APIS["anthropic-messages"].ask(plane, stream=True)
    assert (answer.status, json.loads(answer.body)["type"]) == (502, "error")
    assert "the tier asks for 60%" in json.loads(answer.body)["error"]["message"]
