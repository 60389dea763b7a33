"""The price list that ships."""

import json
from datetime import date
from importlib.resources import files
from typing import Any

import pytest

from penstock_operator.api.preset import PRESETS
from penstock_operator.catalogue.prices import FILE, NoPriceList, parse, render, shipped
from penstock_operator.compile.prices import price_of

MAX_BYTES = 200_000
FLOAT = {"inputPerMillion": 1.5, "outputPerMillion": "1"}


def test_it_is_small_dated_and_says_whose_it_is() -> None:
    data = files("penstock_operator.catalogue").joinpath(FILE).read_bytes()
    assert len(data) < MAX_BYTES
    assert shipped().date >= date(2026, 1, 1)
    assert "LiteLLM" in shipped().source
    assert shipped().licence.startswith("MIT")
    assert files("penstock_operator.catalogue").joinpath("LICENSE.litellm").is_file()


def test_it_is_written_as_it_is_rendered() -> None:
    """So that the next one's difference shows what has changed."""
    text = files("penstock_operator.catalogue").joinpath(FILE).read_text("utf-8")
    assert render(shipped()) == text
    assert parse(text) == shipped()


def test_it_knows_the_well_known() -> None:
    for preset, name in (
        ("openai", "gpt-4o-mini"),
        ("anthropic", "claude-sonnet-4-5"),
        ("gemini", "gemini-2.5-pro"),
        ("groq", "openai/gpt-oss-120b"),
        ("mistral", "mistral-large-latest"),
        ("deepseek", "deepseek-v3.2"),
        ("together", "openai/gpt-oss-120b"),
    ):
        assert shipped().find(preset, name), name  # type: ignore[arg-type]  # each is a preset


def test_it_knows_what_its_models_can() -> None:
    for preset, name, capabilities in (
        ("openai", "gpt-4o", ("chat", "tools", "vision", "json")),
        ("openai", "text-embedding-3-small", ("embeddings",)),
        ("openai", "gpt-5.4", ("chat", "tools", "vision", "json", "reasoning")),
        ("openai", "gpt-5-pro", ()),
        ("groq", "openai/gpt-oss-120b", ("chat", "tools", "json", "reasoning")),
    ):
        found = shipped().find(preset, name)  # type: ignore[arg-type]  # each is a preset
        assert found, name
        assert (found.capabilities, found.context_window is not None) == (capabilities, True)


def test_nobody_else_has_its_models() -> None:
    assert shipped().find("groq", "gpt-4o") is None
    assert shipped().find(None, "gpt-4o") is None


def test_no_price_of_it_is_nothing_or_nonsense() -> None:
    """A list that says 0 where nobody knows would make a budget endless."""
    for preset, models in shipped().providers.items():
        assert preset in PRESETS
        for model in models.values():
            price = price_of(model.price)
            assert 0 < price.input_token <= price_usd(500)
            assert price.output_token <= price_usd(2_000)
            assert (price.output_token == 0) is (model.capabilities == ("embeddings",))
            if price.cached_input_token is not None:
                assert price.cached_input_token <= price.input_token
            if long := price.long_context:
                assert long.price.input_token >= price.input_token
                assert long.price.output_token >= price.output_token


def price_usd(per_million: int) -> int:
    return per_million * 1_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 1}, "format: "),
        ({"date": "yesterday"}, "date: "),
        ({"providers": {"nobody": {}}}, "providers.nobody"),
        ({"providers": {"openai": {"m": {"price": {"inputPerMillion": "1"}}}}}, "outputPerMillion"),
        ({"providers": {"openai": {"m": {"price": FLOAT}}}}, "inputPerMillion"),
        ({"more": 1}, "more: "),
    ],
)
def test_what_is_no_price_list_says_where(change: dict[str, Any], said: str) -> None:
    document = {"format": 2, "date": "2026-01-01", "source": "s", "licence": "l", "providers": {}}
    assert parse(json.dumps(document)).providers == {}
    with pytest.raises(NoPriceList, match=said):
        parse(json.dumps(document | change))
