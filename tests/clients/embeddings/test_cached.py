"""Vectors that are kept, given again to the official clients: as many as there are texts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Raw
from penstock_config.cache import Cache, ExactCache
from tests.clients.embeddings.embedders import (
    EMBED,
    FORMER,
    OPENAI,
    Embedders,
    body,
    running_embedders,
    vectors,
)

EXACT = Cache(exact=ExactCache(), require_deterministic=True)
"""Nothing is drawn for a vector, so that none needs to say a temperature."""
TEXTS = ["Why is the sky blue?", "¿Por qué? 為什麼"]


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[Embedders]:
    """One that keeps vectors; a busy machine is no Redis that is away."""
    async with running_embedders(tmp_path, redis_url, redis_deadline_seconds=5) as running:
        await running.publish(cache=EXACT)
        yield running


@pytest.mark.parametrize("tier", ["gpt", "azure", "llama"])
@pytest.mark.parametrize("encoding", ["float", "base64"])
async def test_openais_client_gets_the_same_vectors_again(
    here: Embedders, tier: str, encoding: Any
) -> None:
    answers, states = [], []
    async with here.openai_client() as client:
        asking = client.embeddings.with_raw_response
        for user, texts in (("ann", TEXTS), ("bob", TEXTS), ("ann", TEXTS[::-1])):
            raw = await asking.create(model=tier, input=texts, user=user, encoding_format=encoding)
            answers.append(raw.parse())
            states.append(raw.headers["x-penstock-cache"])
    assert states == ["miss", "hit-exact", "miss"]
    first, again, other = answers
    assert again == first
    assert [entry.embedding for entry in other.data] != [entry.embedding for entry in first.data]
    assert again.usage.prompt_tokens > 0


async def test_the_other_encoding_is_another_question(here: Embedders) -> None:
    states = []
    for encoding in ("float", "base64"):
        asked = body(model="gpt", input=TEXTS, encoding_format=encoding)
        states.append((await here.ask(OPENAI, asked)).headers["x-penstock-cache"])
    assert states == ["miss", "miss"]


@pytest.mark.parametrize(("tier", "model"), [("gpt", "small"), ("llama", "minilm")])
async def test_ollamas_client_gets_the_same_vectors_again(
    here: Embedders, tier: str, model: str
) -> None:
    async with here.ollama_client() as client:
        first = await client.embed(tier, TEXTS)
        again = await client.embed(tier, TEXTS, keep_alive="5m")
    assert again == first
    assert again.embeddings == vectors(model, *TEXTS)
    assert len([*here.openai.requests, *here.ollama.requests]) == 1


async def test_the_former_api_of_ollama_is_not_cached(here: Embedders) -> None:
    for _ in range(2):
        answer = await here.ask(FORMER, body(model="llama", prompt="Hi"))
        assert answer.headers["x-penstock-cache"] == "bypass"


@pytest.mark.parametrize(
    ("path", "tier", "answer"),
    [
        (OPENAI, "gpt", b'{"data":[{"index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":1}}'),
        (EMBED, "llama", b'{"model":"m","embeddings":[[0.5]],"prompt_eval_count":1}'),
    ],
)
async def test_at17_fewer_vectors_than_texts_are_not_given_again(
    here: Embedders, path: str, tier: str, answer: bytes
) -> None:
    for stub in (here.openai, here.ollama):
        stub.always(Raw((answer,), "application/json"))
    for _ in range(2):
        found = await here.ask(path, body(model=tier, input=TEXTS))
        assert (found.status, found.headers["x-penstock-cache"]) == (200, "miss")
