"""Embeddings of the official clients, through a whole sidecar, from providers of each dialect."""

from typing import Any

import pytest
from ollama import ResponseError
from openai import BadRequestError, NotFoundError

from penstock_cli.stub import EMPTY, Raw, Status
from penstock_config.policy import Retry
from tests.clients.embeddings.embedders import Embedders, vectors

SERVED = (("gpt", "small"), ("azure", "ada"), ("gem", "gecko"), ("llama", "minilm"))
"""A tier of each dialect, and its model."""
TEXTS = ["Why is the sky blue?", "¿Por qué? 為什麼"]


@pytest.mark.parametrize(("tier", "model"), SERVED)
async def test_openais_client_gets_numbers_whether_it_asks_for_base64_or_not(
    here: Embedders, tier: str, model: str
) -> None:
    async with here.openai_client() as client:
        default = await client.embeddings.create(model=tier, input=TEXTS)
        floats = await client.embeddings.create(model=tier, input=TEXTS, encoding_format="float")
    for answer in (default, floats):
        assert [entry.embedding for entry in answer.data] == vectors(model, *TEXTS)
        assert [entry.index for entry in answer.data] == [0, 1]
        assert answer.object == "list"


@pytest.mark.parametrize(("tier", "model"), SERVED)
async def test_openais_client_gets_one_short_vector_for_one_text(
    here: Embedders, tier: str, model: str
) -> None:
    async with here.openai_client() as client:
        answer = await client.embeddings.create(
            model=tier, input="Hi", dimensions=3, user="ann", encoding_format="float"
        )
    assert [entry.embedding for entry in answer.data] == vectors(model, "Hi", dimensions=3)


@pytest.mark.parametrize(("tier", "model"), SERVED)
async def test_ollamas_client_gets_vectors_from_every_provider(
    here: Embedders, tier: str, model: str
) -> None:
    async with here.ollama_client() as client:
        answer = await client.embed(tier, TEXTS, dimensions=3, keep_alive="5m")
        former = await client.embeddings(tier, "Hi", options={"num_ctx": 512})
    assert answer.embeddings == vectors(model, *TEXTS, dimensions=3)
    assert answer.total_duration
    assert [[*former.embedding]] == vectors(model, "Hi")


async def test_tokens_pass_to_openai(here: Embedders) -> None:
    async with here.openai_client() as client:
        answer = await client.embeddings.create(model="gpt", input=[[1, 2], [3]])
    assert [entry.embedding for entry in answer.data] == vectors("small", "[1, 2]", "[3]")


@pytest.mark.parametrize(
    ("tier", "fields", "param"),
    [
        ("gem", {"input": ["a"] * 101}, "input"),
        ("gem", {"input": [1, 2]}, "input"),
        ("llama", {"input": [[1, 2]]}, "input"),
        ("llama", {"input": "a", "extra_body": {"input_type": "query"}}, "input_type"),
        ("gem", {"input": "a", "extra_body": {"output_dtype": "int8"}}, "output_dtype"),
        ("claude", {"input": "a"}, "model"),
        ("chat", {"input": "a"}, "model"),
        ("gpt", {"input": []}, "input"),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    here: Embedders, tier: str, fields: dict[str, Any], param: str
) -> None:
    async with here.openai_client() as client:
        with pytest.raises(BadRequestError) as caught:
            await client.embeddings.create(model=tier, **fields)
    assert caught.value.param == param
    assert [*here.openai.requests, *here.gemini.requests, *here.ollama.requests] == []


async def test_an_ollama_caller_is_refused_in_his_own_words(here: Embedders) -> None:
    async with here.ollama_client() as client:
        with pytest.raises(ResponseError, match="`truncate` cannot be expressed") as caught:
            await client.embed("gem", "a", truncate=False)
        with pytest.raises(ResponseError, match="more than 2048 entries: send fewer"):
            await client.embed("gpt", ["a"] * 2049)
    assert caught.value.status_code == 400


async def test_an_ollama_caller_may_load_a_model_that_nobody_loads(here: Embedders) -> None:
    async with here.ollama_client() as client:
        assert (await client.embed("gem", "")).embeddings == []
        assert (await client.embed("gem", [])).model == "gem"
        assert (await client.embeddings("gem", "")).embedding == []
        with pytest.raises(ResponseError, match="does not exist"):
            await client.embed("nobody", "")
    assert here.gemini.requests == []


async def test_a_hundred_texts_are_one_call_to_gemini(here: Embedders) -> None:
    texts = [str(number) for number in range(100)]
    async with here.openai_client() as client:
        answer = await client.embeddings.create(model="gem", input=texts)
    assert [entry.embedding for entry in answer.data] == vectors("gecko", *texts)
    assert len(here.gemini.requests) == 1


async def test_a_provider_that_makes_no_vectors_is_passed_over(here: Embedders) -> None:
    async with here.openai_client() as client:
        raw = await client.embeddings.with_raw_response.create(model="any", input="a")
    assert raw.headers["x-penstock-provider"] == "team/openai"
    assert raw.headers["x-penstock-attempted-fallbacks"] == "1"


async def test_an_unknown_model_is_not_found(here: Embedders) -> None:
    async with here.openai_client() as client:
        with pytest.raises(NotFoundError):
            await client.embeddings.create(model="nobody", input="a")


@pytest.mark.parametrize("tier", ["gpt", "llama"])
async def test_a_text_that_is_too_long_is_the_inputs_fault(here: Embedders, tier: str) -> None:
    said = "the input length exceeds the context length"
    for stub in (here.openai, here.ollama):
        stub.always(Status(400, said))
    async with here.openai_client() as client:
        with pytest.raises(BadRequestError, match=said) as caught:
            await client.embeddings.create(model=tier, input="a")
    assert (caught.value.param, caught.value.code) == ("input", "context_length_exceeded")


async def test_many_texts_are_not_one_long_text(here: Embedders) -> None:
    """The model's window has 512 tokens, these are thousands."""
    texts = ["a short text, and not the only one"] * 1000
    async with here.openai_client() as client:
        answer = await client.embeddings.create(model="gpt", input=texts)
    assert len(answer.data) == 1000


async def test_an_answer_without_vectors_is_asked_for_again_unchanged(here: Embedders) -> None:
    await here.publish(retry=Retry(attempts=2, backoff_ms=0))
    here.openai.queue(EMPTY)
    async with here.openai_client() as client:
        raw = await client.embeddings.with_raw_response.create(model="gpt", input="a")
    assert raw.headers["x-penstock-attempted-retries"] == "1"
    first, second = here.openai.requests
    assert first.raw == second.raw


async def test_vectors_that_are_no_vectors_are_the_providers_fault(here: Embedders) -> None:
    broken = b'{"data": [{"index": 0, "embedding": "AAAA"}]}'
    here.openai.always(Raw((broken,), "application/json"))
    async with here.ollama_client() as client:
        with pytest.raises(ResponseError, match="cut off") as caught:
            await client.embed("gpt", "a")
    assert caught.value.status_code == 502
