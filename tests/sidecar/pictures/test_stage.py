"""Pictures of requests, by where each API has them."""

import asyncio
import json
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from penstock_config.policy import Images
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.anthropic import parse_count, parse_messages
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_responses import parse_response
from penstock_sidecar.pictures import Pictures
from penstock_sidecar.pictures import stage as stage_module
from penstock_sidecar.pictures.places import places_of
from tests.sidecar.pictures import made
from tests.sidecar.pictures.test_scale import bomb

LARGE = b64encode(made.png(600, 300)).decode()
URL = f"data:image/png;base64,{LARGE}"
ADDRESS = "https://example.com/cat.png"
SIDE = 100


def source(data: str = LARGE) -> dict[str, Any]:
    picture = {"type": "base64", "media_type": "image/png", "data": data}
    return {"type": "image", "source": picture}


def user(*parts: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}]}


OPENAI = user({"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": URL}})
RESPONSES = {
    "model": "m",
    "input": [
        {"role": "user", "content": [{"type": "input_image", "image_url": URL}]},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_image", "image_url": URL}],
        },
    ],
}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [source()]}
ANTHROPIC = {**user(source(), RESULT), "max_tokens": 9}
CHAT = {"model": "m", "messages": [{"role": "user", "content": "?", "images": [LARGE, LARGE]}]}
GENERATE = {"model": "m", "prompt": "?", "images": [LARGE]}
EVERYWHERE = pytest.mark.parametrize(
    ("parse", "document", "count"),
    [
        (parse_chat, OPENAI, 1),
        (parse_response, RESPONSES, 2),
        (parse_messages, ANTHROPIC, 2),
        (parse_count, ANTHROPIC, 2),
        (parse_ollama_chat, CHAT, 2),
        (parse_generate, GENERATE, 1),
    ],
    ids=["openai", "responses", "anthropic", "counting", "ollama", "generate"],
)


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    made_here = Pictures(Images(max_side_pixels=SIDE))
    yield made_here
    made_here.close()


def request(parse: Any, document: Any) -> Request:
    parsed: Request = parse(json.dumps(document).encode(), {}, "call-1")
    return parsed


def sizes(asked: Request) -> list[tuple[int, int]]:
    found = places_of(json.loads(asked.body))
    return [made.opened(b64decode(place.data)).size for place in found]


@EVERYWHERE
async def test_every_picture_that_came_along_is_scaled(
    pictures: Pictures, parse: Any, document: Any, count: int
) -> None:
    before = request(parse, document)
    after = await pictures.reduced(before)
    assert sizes(before) == [(600, 300)] * count
    assert sizes(after) == [(100, 50)] * count
    assert after.document == json.loads(after.body)
    assert after.images == before.images == count
    assert after.inline_bytes < before.inline_bytes
    assert json.loads(before.body) == before.document == document


async def test_addresses_and_tools_arguments_are_left_alone(pictures: Pictures) -> None:
    part = {"type": "image_url", "image_url": {"url": ADDRESS}}
    call = {"type": "tool_use", "id": "t", "name": "see", "input": source()}
    document = {
        "model": "m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [source(b64encode(made.gif(9, 9)).decode())]},
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [{**RESULT, "content": "seen"}]},
        ],
    }
    for asked in (request(parse_chat, user(part)), request(parse_messages, document)):
        assert await pictures.reduced(asked) is asked


async def test_a_request_without_pictures_is_not_looked_at(pictures: Pictures) -> None:
    asked = request(parse_chat, user({"type": "text", "text": "Hi"}))
    assert await pictures.reduced(asked) is asked


async def test_a_bomb_is_refused_by_its_place(pictures: Pictures) -> None:
    data = b64encode(bomb(60_000, 60_000)).decode()
    asked = request(parse_messages, {**user(source(), source(data)), "max_tokens": 9})
    with pytest.raises(MalformedRequest, match="3600 million pixels") as refused:
        await pictures.reduced(asked)
    assert refused.value.param == "messages[0].content[1].source.data"


async def test_too_many_pictures_are_refused(pictures: Pictures) -> None:
    document = {**CHAT, "messages": [{"role": "user", "images": [LARGE[:400]] * 501}]}
    with pytest.raises(MalformedRequest, match="500 at most"):
        await pictures.reduced(request(parse_ollama_chat, document))


@pytest.mark.parametrize("data", ["a", "aé"])
async def test_what_is_no_base64_is_left_to_the_provider(pictures: Pictures, data: str) -> None:
    url = f"data:image/png;base64,{data}"
    asked = request(parse_chat, user({"type": "image_url", "image_url": {"url": url}}))
    assert await pictures.reduced(asked) is asked


async def test_the_loop_goes_on_while_pictures_are_worked_on(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work waits in its thread for something that only the loop can do."""
    loop, here = asyncio.get_running_loop(), asyncio.Event()

    def waits_for_the_loop(_data: str, _side: int) -> str | None:
        async def arrive() -> None:
            here.set()

        asyncio.run_coroutine_threadsafe(arrive(), loop).result(timeout=60)
        return None

    monkeypatch.setattr(stage_module, "_worked", waits_for_the_loop)
    asked = request(parse_chat, OPENAI)
    assert await pictures.reduced(asked) is asked
    assert here.is_set()


def test_a_sidecar_does_not_load_pillow_before_it_needs_it() -> None:
    """It takes ten megabytes and longer than all else of a start."""
    loaded = "import penstock_sidecar.app, sys; sys.exit('PIL' in sys.modules)"
    subprocess.run([sys.executable, "-c", loaded], check=True)
