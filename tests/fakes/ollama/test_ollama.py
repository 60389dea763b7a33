"""The fake as clients see it: Ollama's own, and OpenAI's."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import ollama
import openai
import pytest

from tests.fakes.ollama import FakeOllama, Script
from tests.fakes.ollama.script import FOREVER, seconds_of, size_of

SMALL, OTHER = "llama3.2:1b", "qwen3:4b"
HELLO = [{"role": "user", "content": "Hello."}]


def fake(directory: Path, **said: Any) -> FakeOllama:
    quick = Script(models_dir=directory, pull_seconds=0.02, load_seconds=0.01)
    return FakeOllama(replace(quick, **said))


async def test_its_own_client_pulls_lists_chats_and_deletes(tmp_path: Path) -> None:
    async with fake(tmp_path) as server, ollama.AsyncClient(server.url) as client:
        lines = [line async for line in await client.pull(SMALL, stream=True)]
        assert [lines[0].status, lines[-1].status] == ["pulling manifest", "success"]
        amounts = [line.completed or 0 for line in lines if line.total == size_of(SMALL)]
        assert amounts == sorted(amounts)
        (listed,) = (await client.list()).models
        assert (listed.model, listed.size) == (SMALL, size_of(SMALL))
        answer = await client.chat(SMALL, HELLO)
        assert answer.message.content == f"This is {SMALL} speaking."
        (running,) = (await client.ps()).models
        assert running.digest == listed.digest
        assert running.size == running.size_vram
        assert "FROM /" in ((await client.show(SMALL)).modelfile or "")
        words = [
            part.message.content async for part in await client.chat(SMALL, HELLO, stream=True)
        ]
        assert "".join(word or "" for word in words) == answer.message.content
        await client.delete(SMALL)
        assert not (await client.list()).models


async def test_failures_are_said_as_ollama_says_them(tmp_path: Path) -> None:
    async with fake(tmp_path) as server, ollama.AsyncClient(server.url) as client:
        with pytest.raises(ollama.ResponseError, match="file does not exist"):
            [line async for line in await client.pull("missing:1b", stream=True)]
        with pytest.raises(ollama.ResponseError, match='model "none" not found, try pulling it'):
            await client.chat("none", HELLO)
        await client.pull("nomic-embed-text")
        with pytest.raises(ollama.ResponseError, match="does not support generate"):
            await client.generate("nomic-embed-text", "Hello.")
        assert len((await client.embed("nomic-embed-text", "Hello.")).embeddings) == 1


async def test_openais_client_is_answered_and_a_cold_model_loaded_for_it(tmp_path: Path) -> None:
    async with fake(tmp_path) as server:
        async with ollama.AsyncClient(server.url) as own:
            await own.pull(SMALL)
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            answer = await client.chat.completions.create(
                model=SMALL, messages=[{"role": "user", "content": "Hello."}]
            )
            assert answer.choices[0].message.content == f"This is {SMALL} speaking."
            assert [model.id async for model in await client.models.list()] == [SMALL]
        assert server.memory.loads == [SMALL]


async def test_no_more_models_stay_loaded_than_may_and_the_oldest_goes(tmp_path: Path) -> None:
    async with (
        fake(tmp_path, max_loaded_models=1) as server,
        ollama.AsyncClient(server.url) as client,
    ):
        for name in (SMALL, OTHER, SMALL):
            await client.pull(name)
            await client.generate(name)
        assert [each.model for each in (await client.ps()).models] == [SMALL]
        assert server.memory.loads == [SMALL, OTHER, SMALL]


async def test_keep_alive_is_honoured(tmp_path: Path) -> None:
    async with fake(tmp_path) as server, ollama.AsyncClient(server.url) as client:
        await client.pull(SMALL)
        await client.generate(SMALL, keep_alive=-1)
        (running,) = (await client.ps()).models
        assert running.expires_at is not None
        assert running.expires_at.year > 2200
        await client.generate(SMALL, keep_alive=0)
        assert not (await client.ps()).models


async def test_no_more_are_answered_at_once_than_may_nor_wait(tmp_path: Path) -> None:
    async with (
        fake(tmp_path, parallel=1, max_queue=1, answer_seconds=0.3) as server,
        ollama.AsyncClient(server.url) as client,
    ):
        await client.pull(SMALL)
        await client.generate(SMALL)
        asked = [client.chat(SMALL, HELLO) for _ in range(3)]
        found = await asyncio.gather(*asked, return_exceptions=True)
        refused = [each for each in found if isinstance(each, ollama.ResponseError)]
        assert [(each.status_code, "server busy" in each.error) for each in refused] == [
            (503, True)
        ]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(5, 5), ("5m", 300), ("1h30m", 5400), (-1, FOREVER), ("-1m", FOREVER), ("0", 0), ("90", 90)],
)
def test_durations_are_read_as_go_writes_them(said: object, seconds: float) -> None:
    assert seconds_of(said) == seconds
