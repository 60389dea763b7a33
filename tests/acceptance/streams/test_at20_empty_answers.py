"""AT20: an answer with nothing in it is a failure of the provider's, and no answer."""

import json

import pytest

from penstock_cli.stub import EMPTY, Ok
from penstock_config.cache import Cache, ExactCache
from penstock_config.provider import Health
from tests.acceptance.streams.stage import PAIRS, Pair, Stage
from tests.sidecar.http.edge import Response

streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
TEXT = "from another"


def text_of(pair: Pair, response: Response, *, stream: bool) -> str:
    if stream:
        heard = pair.speaker.heard(response.body)
        assert heard.complete, str(pair)
        assert not heard.error, str(pair)
        return heard.text
    return pair.speaker.plain(json.loads(response.body))


@streamed
async def test_at20_the_next_candidate_answers_in_its_place(here: Stage, stream: bool) -> None:
    here.always(EMPTY, Ok(text=TEXT))
    found = await here.ask_all(stream=stream)
    for pair in PAIRS:
        response = found[str(pair)]
        assert response.status == 200, (str(pair), response.body)
        assert text_of(pair, response, stream=stream) == TEXT, str(pair)
        assert response.headers["x-penstock-provider"] == f"team/{pair.kind}-backup"
        assert response.headers["x-penstock-attempted-fallbacks"] == "1"


@streamed
async def test_at20_where_all_are_empty_that_is_the_error(here: Stage, stream: bool) -> None:
    here.always(EMPTY, EMPTY)
    found = await here.ask_all(stream=stream)
    for pair in PAIRS:
        response = found[str(pair)]
        assert response.status == 502, (str(pair), response.body)
        assert response.headers["content-type"] == "application/json"
        assert b"answered with nothing" in response.body
    codes = {json.loads(found[str(p)].body)["error"]["code"] for p in PAIRS if _openai(p)}
    assert codes == {"empty_completion"}


def _openai(pair: Pair) -> bool:
    return pair.speaker.api.startswith("openai")


@streamed
async def test_at20_what_is_empty_is_not_cached(here: Stage, stream: bool) -> None:
    await here.publish(policy={"cache": Cache(exact=ExactCache(ttl_seconds=60))})
    here.always(EMPTY, EMPTY)
    await here.ask_all(stream=stream)
    here.always(Ok(text=TEXT), Ok())
    for pair, response in zip(PAIRS, (await here.ask_all(stream=stream)).values(), strict=True):
        assert text_of(pair, response, stream=stream) == TEXT
        assert not response.headers.get("x-penstock-cache", "").startswith("hit")


@streamed
async def test_at20_it_counts_against_the_provider(here: Stage, stream: bool) -> None:
    """Who answers nothing for long is asked no more."""
    await here.publish(health=Health(failure_threshold=3, cooldown_seconds=3600))
    here.always(EMPTY, Ok(text=TEXT))
    one_each = [pair for pair in PAIRS if pair.speaker.api == "openai-chat"]
    for pair in one_each:
        for _ in range(5):
            assert (await here.ask(pair, stream=stream)).status == 200
        assert len(here.main[pair.kind.type].requests) == 3, str(pair)
