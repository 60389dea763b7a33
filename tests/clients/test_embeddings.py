"""Embeddings of the official clients, through a whole sidecar, from providers of each dialect."""

import asyncio
import json
from collections.abc import AsyncIterator
from math import ceil
from pathlib import Path
from typing import Any

import ollama
import pytest
from openai import BadRequestError, NotFoundError

from penstock_cli.stub import EMPTY, Bill, Ok, Raw, Status, Tokens
from penstock_cli.stub.vectors import as_base64, vector
from penstock_config.budget import Amounts, Budget
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import RateLimits
from tests.acceptance.counters import GROUP, Counters, counters
from tests.clients.embedders import NAMESPACE, PATIENCE_SECONDS, Embedders, running_embedders
from tests.sidecar.http.edge import exchange, head

OPENAI, EMBED, FORMER = "/v1/embeddings", "/api/embed", "/api/embeddings"
SERVED = (("gpt", "small"), ("gem", "gecko"), ("llama", "minilm"))
"""A tier of each dialect, and its model."""
TEXTS = ["Why is the sky blue?", "¿Por qué? 為什麼"]


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[Embedders]:
    async with running_embedders(tmp_path, redis_url) as running:
        yield running


def vectors(model: str, *texts: str, dimensions: int | None = None) -> list[list[float]]:
    return [[*vector(text, f"upstream-{model}", dimensions)] for text in texts]


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


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
    ("path", "tier", "asked", "sent"),
    [
        (
            OPENAI,
            "gpt",
            {"input": "a", "encoding_format": "base64", "dimensions": 2, "unheard_of": [1.5]},
            {
                "model": "upstream-small",
                "input": "a",
                "encoding_format": "base64",
                "dimensions": 2,
                "unheard_of": [1.5],
            },
        ),
        (
            OPENAI,
            "llama",
            {"input": "a", "encoding_format": "base64", "dimensions": 2, "user": "ann"},
            {"model": "upstream-minilm", "input": ["a"], "dimensions": 2},
        ),
        (
            OPENAI,
            "gem",
            {"input": ["a"], "dimensions": 2, "user": "ann", "input_type": "search_query"},
            {
                "requests": [
                    {
                        "model": "models/upstream-gecko",
                        "content": {"parts": [{"text": "a"}]},
                        "taskType": "RETRIEVAL_QUERY",
                        "outputDimensionality": 2,
                    }
                ]
            },
        ),
        (
            EMBED,
            "gpt",
            {"input": "a", "truncate": True, "keep_alive": 0, "options": {"num_ctx": 9}},
            {"model": "upstream-small", "input": ["a"]},
        ),
        (
            EMBED,
            "llama",
            {"input": "a", "truncate": False, "unheard_of": {}},
            {"model": "upstream-minilm", "input": "a", "truncate": False, "unheard_of": {}},
        ),
        (
            EMBED,
            "gem",
            {"input": "a", "truncate": True},
            {
                "requests": [
                    {"model": "models/upstream-gecko", "content": {"parts": [{"text": "a"}]}}
                ]
            },
        ),
        (FORMER, "gpt", {"prompt": "a"}, {"model": "upstream-small", "input": ["a"]}),
        (FORMER, "llama", {"prompt": "a"}, {"model": "upstream-minilm", "prompt": "a"}),
    ],
)
async def test_what_each_provider_is_asked(
    here: Embedders, path: str, tier: str, asked: dict[str, object], sent: dict[str, object]
) -> None:
    response = await here.ask(path, body(model=tier, **asked))
    assert response.status == 200
    stub = {"gpt": here.openai, "gem": here.gemini, "llama": here.ollama}[tier]
    seen = await stub.request()
    assert seen.body == sent
    assert seen.path.endswith(
        {
            (FORMER, "llama"): FORMER,
            (EMBED, "llama"): EMBED,
            (OPENAI, "llama"): EMBED,
        }.get((path, tier), ":batchEmbedContents" if tier == "gem" else OPENAI)
    )


@pytest.mark.parametrize(
    ("path", "tier", "asked", "answer"),
    [
        (
            OPENAI,
            "llama",
            {"input": ["a"], "encoding_format": "base64"},
            {
                "object": "list",
                "data": [
                    {
                        "object": "embedding",
                        "index": 0,
                        "embedding": as_base64(vector("a", "upstream-minilm")),
                    }
                ],
                "model": "upstream-minilm",
                "usage": {"prompt_tokens": 7, "total_tokens": 7},
            },
        ),
        (
            OPENAI,
            "gem",
            {"input": "a"},
            {
                "object": "list",
                "data": [
                    {
                        "object": "embedding",
                        "index": 0,
                        "embedding": [*vector("a", "upstream-gecko")],
                    }
                ],
                "model": "gem",
            },
        ),
        (
            EMBED,
            "gpt",
            {"input": ["a", "b"]},
            {
                "model": "gpt",
                "embeddings": vectors("small", "a", "b"),
                "load_duration": 0,
                "prompt_eval_count": 7,
            },
        ),
        (
            EMBED,
            "gem",
            {"input": "a"},
            {"model": "gem", "embeddings": vectors("gecko", "a"), "load_duration": 0},
        ),
        (FORMER, "gpt", {"prompt": "a"}, {"embedding": vectors("small", "a")[0]}),
        (FORMER, "gem", {"prompt": "a"}, {"embedding": vectors("gecko", "a")[0]}),
    ],
)
async def test_what_each_caller_is_answered(
    here: Embedders, path: str, tier: str, asked: dict[str, object], answer: dict[str, object]
) -> None:
    for stub in (here.openai, here.ollama):
        stub.always(Ok(usage=Tokens(7, 0)))
    response = await here.ask(path, body(model=tier, **asked))
    document = json.loads(response.body)
    if path == EMBED:
        assert document.pop("total_duration") > 0
    assert document == answer


@pytest.mark.parametrize(
    "raw",
    [
        b'{ "input" : "caf\\u00e9" ,"model":"same",  "user": "ann"}\n',
        b'{"model":"same","input":[ 1,2 , 3],"dimensions":1e2}',
    ],
)
async def test_bytes_pass_untouched_where_even_the_name_is_the_same(
    here: Embedders, raw: bytes
) -> None:
    answer = b'{"object":"list",\n "data": [{"embedding":[1e0],"index":0}],"more":{"x":1}}'
    here.openai.always(Raw((answer,), "application/json"))
    response = await here.ask(OPENAI, raw)
    assert response.body == answer
    assert (await here.openai.request()).raw == raw


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
        with pytest.raises(ollama.ResponseError, match="`truncate` cannot be expressed") as caught:
            await client.embed("gem", "a", truncate=False)
        with pytest.raises(ollama.ResponseError, match="`input` is empty"):
            await client.embed("gem", "")
        with pytest.raises(ollama.ResponseError, match="more than 2048 entries: send fewer"):
            await client.embed("gpt", ["a"] * 2049)
    assert caught.value.status_code == 400


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
        with pytest.raises(ollama.ResponseError, match="cut off") as caught:
            await client.embed("gpt", "a")
    assert caught.value.status_code == 502


async def settled(books: Counters, budget: str, micro_usd: int) -> dict[str, int]:
    """What is written, once that much is; settling goes on after the answer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = books.money(GROUP, budget)
            if found["S"] == micro_usd:
                return found
            await asyncio.sleep(0)


def hard(micro_usd: int) -> tuple[Budget, ...]:
    return (Budget(id=f"{NAMESPACE}/hard", limits=Amounts(total=micro_usd)),)


@pytest.mark.parametrize(
    ("path", "tier", "fields"),
    [
        (OPENAI, "gpt", {"input": "what is it?"}),
        (OPENAI, "llama", {"input": ["what", "is it?"]}),
        (EMBED, "gpt", {"input": "what is it?"}),
        (EMBED, "llama", {"input": "what is it?"}),
    ],
)
async def test_a_hard_budget_holds_the_bodys_bytes_and_spends_the_input_tokens(
    here: Embedders, redis_url: str, path: str, tier: str, fields: dict[str, object]
) -> None:
    asked = body(model=tier, **fields)
    for stub in (here.openai, here.ollama):
        stub.always(Ok(usage=Tokens(5, 0)))
    await here.publish(budgets=hard(len(asked) - 1))
    refused = await here.ask(path, asked)
    assert refused.status == 429
    await here.publish(budgets=hard(len(asked)))
    served = await here.ask(path, asked)
    assert (served.status, served.headers["x-penstock-cost-usd"]) == (200, "0.000005")
    with counters(redis_url) as books:
        assert await settled(books, f"{NAMESPACE}/hard", 5) == {"S": 5, "R": 0, "U": 0}
    assert here.openai.bill() + here.ollama.bill() == Bill(1, 5, 0)
    assert (await here.ask(path, asked)).status == 429, "five are gone"


async def test_where_nobody_counts_a_hard_budget_is_charged_what_it_held(
    here: Embedders, redis_url: str
) -> None:
    asked = body(model="gem", input="what is it?")
    await here.publish(budgets=hard(1000))
    served = await here.ask(OPENAI, asked)
    assert served.status == 200
    with counters(redis_url) as books:
        found = await settled(books, f"{NAMESPACE}/hard", len(asked))
    assert found == {"S": len(asked), "R": 0, "U": 0}


async def test_where_nobody_counts_and_no_budget_refuses_the_guess_is_the_cost(
    here: Embedders,
) -> None:
    asked = body(model="gem", input="what is it?")
    served = await here.ask(OPENAI, asked)
    assert served.headers["x-penstock-cost-usd"] == f"0.{ceil(len(asked) / 3):06d}"


async def test_a_hard_budget_refuses_what_has_no_known_price(here: Embedders) -> None:
    await here.publish(budgets=hard(10_000))
    refused = await here.ask(OPENAI, body(model="gpt", input="a", service_tier="priority"))
    assert (refused.status, refused.error["param"]) == (400, "service_tier")


@pytest.mark.parametrize(
    ("fields", "reserved"),
    [
        ({"input": "what is it?"}, None),
        ({"input": [[1, 22, 333], [4444, 5]]}, 5),
    ],
)
async def test_a_token_limit_reserves_the_input_and_counts_what_the_provider_counted(
    here: Embedders, redis_url: str, fields: dict[str, object], reserved: int | None
) -> None:
    asked = body(model="gpt", **fields)
    guess = ceil(len(asked) / 3) if reserved is None else reserved
    limit = RateLimits(tokens_per_minute=1000)
    await here.publish(limits=(CallerLimit(name="tokens", per="App", limits=limit),))
    here.openai.always(Ok(usage=Tokens(7, 0)))
    served = await here.ask(OPENAI, asked)
    assert served.headers["x-ratelimit-remaining-tokens"] == str(1000 - guess)
    with counters(redis_url) as books:
        await books.until_used(7, "tpm", 60)


async def test_a_token_limit_refuses_what_never_fits(here: Embedders) -> None:
    limit = RateLimits(tokens_per_minute=100)
    await here.publish(limits=(CallerLimit(name="tokens", per="App", limits=limit),))
    refused = await here.ask(OPENAI, body(model="gpt", input=[*range(101)]))
    assert refused.status == 413
    assert refused.error["message"].endswith("this input has about 101")
    assert (await here.ask(OPENAI, body(model="gpt", input=[*range(100)]))).status == 200


async def test_metrics_say_embeddings(here: Embedders) -> None:
    here.openai.always(Ok(usage=Tokens(7, 0)))
    assert (await here.ask(OPENAI, body(model="gpt", input="a"))).status == 200
    assert (await here.ask(EMBED, body(model="gpt", input="a"))).status == 200
    who = 'gen_ai_operation_name="embeddings",gen_ai_provider_name="team/openai"'
    response = await exchange(here.ports.probe, head("GET", "/metrics"))
    metrics = response.body.decode()
    assert f'gen_ai_client_token_usage_sum{{{who},gen_ai_request_model="small",' in metrics
    line = next(text for text in metrics.splitlines() if f"token_usage_sum{{{who}" in text)
    assert line.endswith(" 14.0")
