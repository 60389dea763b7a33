"""What embeddings are measured by: their input alone."""

import json

import pytest

from penstock_config.provider import Price
from penstock_sidecar.metering.estimate import Input, Quote, estimate_input, output_cap
from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.metering.learned import TokenRatios
from penstock_sidecar.model import Api, Request
from penstock_sidecar.normalise.embeddings import (
    parse_ollama_embed,
    parse_ollama_embeddings,
    parse_openai_embeddings,
)
from tests.sidecar.metering import given as a

PARSERS = {
    "openai-embeddings": parse_openai_embeddings,
    "ollama-embed": parse_ollama_embed,
    "ollama-embeddings": parse_ollama_embeddings,
}


def request(api: Api, **fields: object) -> Request:
    text = "prompt" if api == "ollama-embeddings" else "input"
    body = json.dumps({"model": "fast", text: "abc", **fields}).encode()
    return PARSERS[api](body, {}, "call")


@pytest.mark.parametrize("api", PARSERS)
def test_nothing_is_generated(api: Api) -> None:
    model = a.provider(max_output_tokens=1000).models[0]
    assert output_cap(request(api), model) == 0


def test_the_price_is_that_of_the_input() -> None:
    asked = request("openai-embeddings")
    price = Price(input_token=20_000, output_token=0)
    quote = Quote.of(price, estimate_input(asked), asked.choices, 0)
    assert quote.most_micro_usd == quote.least_micro_usd == -(-len(asked.body) * 20_000 // 10**6)


def test_text_is_guessed_and_bounded_by_its_bytes() -> None:
    asked = request("ollama-embed", input=["a" * 300])
    size = len(asked.body)
    assert estimate_input(asked) == Input(-(-size // 3), size, 0, size, text_only=True)


def test_tokens_are_as_many_as_there_are_and_teach_nothing_about_text() -> None:
    asked = request("openai-embeddings", input=[[1, 2, 3], [4]])
    given = estimate_input(asked)
    assert (given.tokens, given.most_tokens) == (4, len(asked.body))
    ratios = TokenRatios()
    for _ in range(2000):
        ratios.learn("p/m", given, len(asked.body))
    assert ratios.tokens("p/m", given.text_bytes) == -(-given.text_bytes // 3)
    assert ratios.estimated("p/m", given) is given


def test_tokens_per_byte_are_learned_from_embeddings_of_text() -> None:
    asked = request("openai-embeddings", input=["word " * 200])
    given = estimate_input(asked)
    ratios = TokenRatios()
    for _ in range(2000):
        ratios.learn("p/m", given, given.text_bytes // 5)
    assert given.text_bytes / 5 <= ratios.estimated("p/m", given).tokens <= given.text_bytes / 4.5


@pytest.mark.parametrize(
    ("api", "fields"),
    [
        ("openai-embeddings", {"dimensions": 4, "encoding_format": "base64", "user": "ann"}),
        ("openai-embeddings", {"input_type": "query", "truncate": "END", "prompt": None}),
        ("ollama-embed", {"truncate": True, "dimensions": 4, "options": {}, "keep_alive": "5m"}),
        ("ollama-embeddings", {"options": {"num_ctx": 512}, "keep_alive": 0}),
    ],
)
def test_what_costs_nothing_is_bounded(api: Api, fields: dict[str, object]) -> None:
    assert unbounded_feature(request(api, **fields), "openai") is None


@pytest.mark.parametrize("api", PARSERS)
def test_what_nobody_knows_is_not_bounded(api: Api) -> None:
    assert unbounded_feature(request(api, service_tier="priority"), "openai") == "service_tier"
    assert unbounded_feature(request(api, service_tier=None), "openai") is None
