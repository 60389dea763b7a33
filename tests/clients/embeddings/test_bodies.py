"""Whole bodies of embeddings, to providers of each dialect and back to callers of each."""

import json

import pytest

from penstock_cli.stub import Ok, Raw, Tokens
from penstock_cli.stub.vectors import as_base64, vector
from tests.clients.embeddings.embedders import EMBED, FORMER, OPENAI, Embedders, body, vectors

PATHS = {
    "gpt": OPENAI,
    "azure": "/openai/deployments/upstream-ada/embeddings",
    "gem": "/v1beta/models/upstream-gecko:batchEmbedContents",
    "llama": EMBED,
}
"""Where each is asked, but for former callers of Ollama at Ollama."""


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
            "azure",
            {"input": [1, 2], "unheard_of": 1},
            {"model": "upstream-ada", "input": [1, 2], "unheard_of": 1},
        ),
        (EMBED, "azure", {"input": "a"}, {"model": "upstream-ada", "input": ["a"]}),
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
        (
            EMBED,
            "llama",
            {"input": "a", "keep_alive": -1, "options": {"num_ctx": 9, "seed": 1}},
            {"model": "upstream-minilm", "input": "a", "options": {"seed": 1}},
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
    stubs = {"gpt": here.openai, "azure": here.azure, "gem": here.gemini, "llama": here.ollama}
    seen = await stubs[tier].request()
    assert seen.body == sent
    assert seen.path == (FORMER if (path, tier) == (FORMER, "llama") else PATHS[tier])


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


async def test_an_answer_may_be_as_large_as_what_openai_makes_at_once(here: Embedders) -> None:
    """Twice what other answers may be."""
    half = b'{"data": [{"index": 0, "embedding": "' + b"A" * 2**24
    answer = half + b"A" * 2**24 + b'"}]}'
    here.openai.always(Raw((answer,), "application/json"))
    response = await here.ask(OPENAI, body(model="gpt", input="a"))
    assert response.body == answer
    here.openai.always(Raw((half * 3,), "application/json"))
    assert (await here.ask(OPENAI, body(model="gpt", input="a"))).status == 502
