"""Requests, shortened: what the stages know of them is worked out anew."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from penstock_config.compression import Compression
from penstock_sidecar.compression import Compressor
from penstock_sidecar.compression.stage import MAX_BYTES, SHORT_BYTES
from penstock_sidecar.model import Remembered, Request, Resumed
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_responses import parse_response

WIDE = "a  wide   text"
RULES = Compression(whitespace=True, max_history_tokens=400)


@pytest.fixture
async def compressor() -> AsyncIterator[Compressor]:
    made = Compressor(RULES)
    yield made
    made.close()


def chat(*messages: dict[str, Any]) -> Request:
    return parse_chat(orjson.dumps({"model": "m", "messages": messages}), {}, "call")


async def test_body_document_and_tokens_agree(compressor: Compressor) -> None:
    request = chat({"role": "system", "content": WIDE}, {"role": "user", "content": "?"})
    found = await compressor.compressed(request)
    assert found is not None
    assert orjson.loads(found.request.body) == found.request.document
    assert found.request.document["messages"][0]["content"] == "a wide text"  # type: ignore[index]
    assert found.result.tokens_after == -(-len(found.request.body) // 3)
    assert found.result.tokens_before == -(-len(request.body) // 3)


async def test_a_long_prompt_is_worked_on_beside_the_loop(compressor: Compressor) -> None:
    long = f"{WIDE} " * (SHORT_BYTES // len(WIDE))
    request = chat({"role": "system", "content": long}, {"role": "user", "content": "?"})
    found = await compressor.compressed(request)
    assert found is not None
    assert found.result.tokens_after < found.result.tokens_before


async def test_what_is_too_long_goes_as_it_is(compressor: Compressor) -> None:
    request = chat({"role": "system", "content": "x  " * (MAX_BYTES // 3)})
    assert await compressor.compressed(request) is None


async def test_what_a_session_went_before_is_counted_without_what_is_left_out(
    compressor: Compressor,
) -> None:
    said = [{"role": "user", "content": "x" * 600}, {"role": "assistant", "content": "y" * 600}]
    request = chat(*said * 3, {"role": "user", "content": "?"})
    found = await compressor.compressed(replace(request, remembered=Remembered(0, 6)))
    assert found is not None
    assert found.request.remembered == Remembered(0, 2)
    assert len(found.request.document["messages"]) == 3  # type: ignore[arg-type]


async def test_instructions_that_stay_are_still_what_it_went_before(
    compressor: Compressor,
) -> None:
    said = [{"role": "user", "content": "x" * 600}, {"role": "system", "content": "y"}]
    request = chat(*said * 3, {"role": "user", "content": "?"})
    found = await compressor.compressed(replace(request, remembered=Remembered(0, 6)))
    assert found is not None
    assert found.request.remembered == Remembered(0, 5)
    assert len(found.request.document["messages"]) == 6  # type: ignore[arg-type]


async def test_so_is_what_a_former_response_said(compressor: Compressor) -> None:
    items = [{"role": "user", "content": "x" * 1200}] * 3
    body = orjson.dumps({"model": "m", "input": items})
    request = replace(parse_response(body, {}, "call"), resumed=Resumed("resp_1", 2))
    found = await compressor.compressed(request)
    assert found is not None
    assert found.request.resumed == Resumed("resp_1", 1)


async def test_items_of_no_known_type_go_as_they_are(compressor: Compressor) -> None:
    told = [{"role": "system", "content": WIDE}, {"role": "user", "content": "?"}]
    odd = {"role": "user", "content": "a", "type": ["text"]}
    found = await compressor.compressed(chat(*told, odd))
    assert found is not None
    assert orjson.loads(found.request.body)["messages"][-1] == odd
