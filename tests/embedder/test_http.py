"""The HTTP interface over a real Redis, with an encoder that is quick."""

import asyncio
import io
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import redis.asyncio as aioredis

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import (
    DEADLINE_HEADER,
    NAMESPACE_HEADER,
    NEAREST_PATH,
    REMOVE_PATH,
    SIMILAR_PATH,
    VECTORS_PATH,
    Refusal,
    RefusalCode,
    namespace_token,
)
from penstock_embedder.app import serving
from penstock_embedder.settings import Settings
from tests.embedder.encoders import Words
from tests.ports import free_port

SHELF = Shelves.of("main", "team-a", "chat", "0a").prefix
OTHERS = Shelves.of("main", "team-b", "chat", "0a").prefix
PLACE = {"shelf": SHELF, "partition": "aa"}
PROMPT = "what my doctor said"
LATER = int(time.time() * 1000) + 3_600_000
Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """A namespace's sidecar."""

    session: aiohttp.ClientSession
    url: str
    namespace: str = "team-a"

    async def post(self, path: str, body: object, **headers: str) -> Answer:
        given = {
            NAMESPACE_HEADER: self.namespace,
            "authorization": f"Bearer {namespace_token('secret', 'main', self.namespace)}",
            **headers,
        }
        data = io.BytesIO(json.dumps(body).encode())
        async with self.session.post(f"{self.url}{path}", data=data, headers=given) as response:
            answer = await response.json()
            if response.status == 503:
                assert response.headers["retry-after"] == "1"
            if response.status != 200:
                Refusal.model_validate(answer)
            return response.status, answer

    async def keep(self, name: str, text: str, **place: str) -> Answer:
        body = {**PLACE, "name": name, "text": text, "expires_at_ms": LATER, **place}
        return await self.post(VECTORS_PATH, body)

    async def nearest(self, text: str, **more: object) -> Answer:
        return await self.post(NEAREST_PATH, {**PLACE, "text": text, "least": 0.99, **more})

    async def names(self, text: str, **more: object) -> list[str]:
        status, answer = await self.nearest(text, **more)
        assert status == 200, answer
        return [match["name"] for match in answer["matches"]]

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(f"{self.url}{path}") as response:
            return response.status, await response.text()


@asynccontextmanager
async def calling(
    redis_url: str, encoder: Words | None = None, **settings: Any
) -> AsyncIterator[Caller]:
    given = Settings(
        secret="secret", cluster="main", redis_url=redis_url, host="127.0.0.1", port=0, **settings
    )
    async with (
        serving(given, encoder or Words()) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Caller(session, f"http://127.0.0.1:{port}")


async def test_what_is_kept_is_found_until_it_is_removed(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        assert await caller.keep("t:1", "how are you") == (200, {"kept": True})
        assert await caller.keep("t:2", "who are they") == (200, {"kept": True})
        assert await caller.names("you are how") == ["t:1"]
        assert await caller.names("how are you", least=-1, k=1) == ["t:1"]
        answer = await caller.post(REMOVE_PATH, {**PLACE, "names": ["t:1", "t:9"]})
        assert answer == (200, {"removed": 1})
        assert await caller.names("how are you") == []
        assert await caller.post(REMOVE_PATH, {"shelf": SHELF}) == (200, {"removed": 1})
        assert await caller.names("who are they") == []


async def test_similar_texts_are_found_in_all_partitions_and_in_one(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        await caller.keep("t:1", "how are you", partition="aa")
        await caller.keep("t:2", "are you how", partition="bb")
        await caller.keep("t:3", "something else", partition="bb")
        body = {"shelf": SHELF, "text": "how are you", "least": 0.99}
        status, answer = await caller.post(SIMILAR_PATH, body)
        assert (status, answer["complete"]) == (200, True)
        found = {(match["partition"], match["name"]) for match in answer["matches"]}
        assert found == {("aa", "t:1"), ("bb", "t:2")}
        _, answer = await caller.post(SIMILAR_PATH, {**body, "partition": "bb"})
        assert [match["name"] for match in answer["matches"]] == ["t:2"]


async def test_partitions_and_shelves_do_not_mix(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        await caller.keep("t:1", "how are you")
        assert await caller.names("how are you", partition="bb") == []
        other_shelf = Shelves.of("main", "team-a", "chat", "0b").prefix
        assert await caller.names("how are you", shelf=other_shelf) == []


async def test_no_namespace_reaches_anothers_vectors(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        await caller.keep("t:1", "how are you")
        stranger = Caller(caller.session, caller.url, "team-b")
        assert await stranger.names("how are you", shelf=OTHERS) == []
        asked = {"shelf": SHELF, "text": "how are you", "least": 0.5}
        for path, body in (
            (NEAREST_PATH, {**PLACE, "text": "how are you"}),
            (VECTORS_PATH, {**PLACE, "name": "t:9", "text": "a", "expires_at_ms": LATER}),
            (REMOVE_PATH, {"shelf": SHELF}),
            (SIMILAR_PATH, asked),
        ):
            status, answer = await stranger.post(path, body)
            assert (status, answer["error"]) == (403, RefusalCode.FOREIGN_SHELF)
            status, answer = await caller.post(path, body, authorization="Bearer wrong")
            assert (status, answer["error"]) == (401, RefusalCode.UNAUTHORISED)
        assert await caller.names("how are you") == ["t:1"]


@pytest.mark.parametrize(
    "body",
    [
        {"shelf": SHELF, "text": PROMPT},
        {**PLACE, "text": PROMPT, "k": 0},
        {**PLACE, "text": PROMPT, "scope": PROMPT},
        {**PLACE, "partition": PROMPT, "text": PROMPT},
        [PROMPT],
    ],
)
async def test_a_malformed_body_is_told_which_field_and_not_what_was_in_it(
    redis_url: str, body: object
) -> None:
    async with calling(redis_url) as caller:
        status, answer = await caller.post(NEAREST_PATH, body)
        assert (status, answer["error"]) == (400, RefusalCode.MALFORMED)
        assert PROMPT not in str(answer)


@pytest.mark.parametrize("text", ["nine words are more than what fits in here", "a" * 2_000_000])
async def test_a_text_that_is_too_long_is_neither_read_nor_written(
    redis_url: str, text: str
) -> None:
    async with calling(redis_url) as caller:
        for answered in (caller.nearest(text), caller.keep("t:1", text)):
            status, answer = await answered
            assert (status, answer["error"]) == (422, RefusalCode.TOO_LONG)


async def test_more_than_can_wait_is_refused_at_once_and_counted(redis_url: str) -> None:
    encoder = Words()
    async with calling(redis_url, encoder, max_waiting=2) as caller:
        encoder.open.clear()
        first = asyncio.create_task(caller.nearest("one"))
        await asyncio.to_thread(encoder.began.wait, 20)
        second = asyncio.create_task(caller.nearest("two"))
        while "in_flight 2.0" not in (await caller.get("/metrics"))[1]:  # noqa: ASYNC110  # a request is under way
            await asyncio.sleep(0)
        status, answer = await caller.nearest("three")
        assert (status, answer["error"]) == (503, RefusalCode.OVERLOADED)
        encoder.open.set()
        assert [(await task)[0] for task in (first, second)] == [200, 200]
        _, metrics = await caller.get("/metrics")
        assert 'penstock_embedder_shed_total{reason="overloaded"} 1.0' in metrics


async def test_nobody_waits_beyond_their_deadline(redis_url: str) -> None:
    encoder = Words()
    async with calling(redis_url, encoder) as caller:
        encoder.open.clear()
        status, answer = await caller.post(
            NEAREST_PATH, {**PLACE, "text": "one"}, **{DEADLINE_HEADER: "30"}
        )
        assert (status, answer["error"]) == (504, RefusalCode.TOO_LATE)
        encoder.open.set()
        assert (await caller.nearest("one"))[0] == 200
        status, answer = await caller.post(NEAREST_PATH, {}, **{DEADLINE_HEADER: "soon"})
        assert (status, answer["error"]) == (400, RefusalCode.MALFORMED)


async def test_a_broken_model_is_our_fault_and_no_text_is_logged(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = Words()
    encoder.broken = True
    async with calling(redis_url, encoder) as caller:
        with caplog.at_level(logging.INFO):
            status, answer = await caller.nearest(PROMPT)
        assert (status, answer["error"]) == (500, RefusalCode.BROKEN)
        encoder.broken = False
        assert await caller.keep("t:1", PROMPT) == (200, {"kept": True})
        _, metrics = await caller.get("/metrics")
    assert "request.broken" in caplog.text
    assert PROMPT not in caplog.text + metrics + str(answer)


async def test_without_redis_it_lives_and_says_so() -> None:
    async with calling(f"redis://127.0.0.1:{free_port()}") as caller:
        for answered in (caller.nearest("one"), caller.keep("t:1", "one")):
            status, answer = await answered
            assert (status, answer["error"]) == (503, RefusalCode.NO_REDIS)
        assert await caller.get("/healthz") == (200, "ok")
        assert await caller.get("/readyz") == (200, "ok")


async def test_two_embedders_agree_soon(redis_url: str) -> None:
    async with calling(redis_url, news_ms=1) as one, calling(redis_url, news_ms=1) as two:
        assert await two.names("how are you") == []
        await one.keep("t:1", "how are you")
        async with asyncio.timeout(20):
            while await two.names("how are you") != ["t:1"]:
                pass
        await one.post(REMOVE_PATH, {"shelf": SHELF, "names": ["t:1"]})
        async with asyncio.timeout(20):
            while await two.names("how are you") != []:
                pass


async def test_its_figures_are_there(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        await caller.keep("t:1", "how are you")
        await caller.names("how are you")
        _, metrics = await caller.get("/metrics")
    for line in (
        'penstock_embedder_requests_total{outcome="ok",path="/v1/nearest"} 1.0',
        "penstock_embedder_batch_texts_count 1.0",
        "penstock_embedder_embed_seconds_count 1.0",
        "penstock_embedder_search_seconds_count 1.0",
        "penstock_embedder_queue_depth 0.0",
        "penstock_embedder_partitions 1.0",
        "penstock_embedder_entries 1.0",
        "penstock_embedder_memo_hits 1.0",
        "process_resident_memory_bytes ",
    ):
        assert line in metrics, line


async def test_vectors_of_another_model_are_not_compared_but_removed(redis_url: str) -> None:
    async with calling(redis_url) as caller:
        await caller.keep("t:1", "how are you")
    encoder = Words()
    encoder.nature = type(encoder.nature)("deadbeef", 16, 8)
    async with calling(redis_url, encoder) as caller:
        assert await caller.names("how are you") == []
        asked = {"shelf": SHELF, "text": "how are you", "least": 0.5}
        assert (await caller.post(SIMILAR_PATH, asked))[1]["matches"] == []
        assert await caller.post(REMOVE_PATH, {"shelf": SHELF, "names": ["t:1"]}) == (
            200,
            {"removed": 1},
        )


async def test_what_is_to_be_removed_is_found_without_the_set_that_names_it(
    redis_url: str,
) -> None:
    """A Redis that is full drops one key and keeps another."""
    async with calling(redis_url) as caller, aioredis.from_url(redis_url) as client:
        for where in ({}, {"partition": "aa"}):
            await caller.keep("t:1", "how are you")
            await caller.names("how are you")
            await client.delete(Shelves(SHELF).partitions)
            answer = await caller.post(REMOVE_PATH, {"shelf": SHELF, "names": ["t:1"], **where})
            assert answer == (200, {"removed": 1})
            assert await caller.names("how are you") == []
