"""What vendors report, and what it costs: a table worked out beside the code (AT11)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.provider import LongContext, Price
from penstock_sidecar.dialects.usage import (
    MAX_TOKENS,
    usage_of_anthropic,
    usage_of_gemini,
    usage_of_ollama,
    usage_of_openai,
)
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.model import Usage

Row = dict[str, Any]
PARSERS: Final[dict[str, Callable[[Any], Usage | None]]] = {
    "openai": usage_of_openai,
    "anthropic": lambda pieces: usage_of_anthropic(*pieces),
    "gemini": usage_of_gemini,
    "ollama": usage_of_ollama,
}
LEAST_ROWS: Final = 30


def _rows() -> Iterator[Any]:
    for file in sorted((Path(__file__).parent / "usage").glob("*.json")):
        table = json.loads(file.read_text("utf-8"))
        for row in table["rows"]:
            yield pytest.param(table["dialect"], row, id=f"{file.stem}: {row['name']}")


ROWS: Final = list(_rows())


def price_of(said: Row) -> Price:
    """As the operator writes it: pico-dollars from dollars, exactly."""
    long = said.get("long_context")
    return Price(
        input_token=_pico(said["input"], 6),
        output_token=_pico(said["output"], 6),
        cached_input_token=_optional(said, "cached_input"),
        cache_write_token=_optional(said, "cache_write"),
        cache_write_1h_token=_optional(said, "cache_write_1h"),
        reasoning_token=_optional(said, "reasoning"),
        image=_pico(said.get("image", "0"), 12),
        request=_pico(said.get("request", "0"), 12),
        long_context=long and LongContext(above_input_tokens=long["above"], price=price_of(long)),
    )


def _optional(said: Row, name: str) -> int | None:
    return _pico(said[name], 6) if name in said else None


def _pico(text: str, places: int) -> int:
    value = Decimal(text).scaleb(places)
    assert value == int(value)
    return int(value)


def _term_usd(term: str) -> Decimal:
    """`19 x 2.50 per million`."""
    count, _, price, _, unit = term.split()
    return Decimal(count) * Decimal(price) / (1_000_000 if unit == "million" else 1)


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(ROWS) >= LEAST_ROWS
    assert {row.values[0] for row in ROWS} == set(PARSERS)


@pytest.mark.parametrize("row", [pytest.param(row.values[1], id=row.id) for row in ROWS])
def test_the_table_agrees_with_itself(row: Row) -> None:
    usd = sum(map(_term_usd, row["terms"]), Decimal(0))
    assert usd == Decimal(row["usd"])
    assert usd.scaleb(12) == row["pico_usd"]
    assert ceil(usd.scaleb(6)) == row["micro_usd"]


@pytest.mark.parametrize(("dialect", "row"), ROWS)
def test_a_report_costs_what_the_table_says(dialect: str, row: Row) -> None:
    usage = PARSERS[dialect](row["usage"])
    if row["counts"] is None:
        assert usage is None
        return
    assert usage == Usage(**row["counts"])
    assert usage is not None
    pico = cost_pico_usd(usage, price_of(row["price"]), row.get("images", 0))
    assert (pico, micro_usd(pico)) == (row["pico_usd"], row["micro_usd"])


COUNT_NAMES: Final = (
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"),
    *("cached_tokens", "cache_write_tokens", "reasoning_tokens", "prompt_cache_hit_tokens"),
    *("cache_creation_input_tokens", "cache_read_input_tokens", "thinking_tokens"),
    *("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"),
    *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount"),
    *("toolUsePromptTokenCount", "cachedContentTokenCount", "prompt_eval_count", "eval_count"),
)
GROUP_NAMES: Final = (
    *("prompt_tokens_details", "completion_tokens_details", "input_tokens_details"),
    *("output_tokens_details", "cache_creation"),
)
NONSENSE: Final = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5_000)
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=3)
)
COUNTS: Final = st.dictionaries(st.sampled_from(COUNT_NAMES), NONSENSE)
REPORTS: Final = (
    st.builds(
        lambda counts, groups: counts | groups,
        COUNTS,
        st.dictionaries(st.sampled_from(GROUP_NAMES), COUNTS | NONSENSE),
    )
    | NONSENSE
    | st.lists(NONSENSE, max_size=2)
)
DEAR: Final = price_of({"input": "15.00", "output": "75.00", "cache_write_1h": "30.00"})


@given(REPORTS, REPORTS)
def test_a_broken_report_is_unknown_or_a_sound_count(report: Any, later: Any) -> None:
    """Never an exception, a negative cost, or parts that exceed their sum."""
    for usage in (
        usage_of_openai(report),
        usage_of_anthropic(report, later),
        usage_of_gemini(report),
        usage_of_ollama(report),
    ):
        if usage is not None:
            assert all(0 <= count <= MAX_TOKENS for count in asdict(usage).values())
            parts = usage.cached_input_tokens + usage.cache_write_tokens
            assert parts <= usage.input_tokens
            assert usage.cache_write_1h_tokens <= usage.cache_write_tokens
            assert usage.reasoning_tokens <= usage.output_tokens
            assert 0 <= cost_pico_usd(usage, DEAR, 0) <= 2 * MAX_TOKENS * 75_000_000


SUMS: Final = {
    "openai": ("prompt_tokens", "completion_tokens"),
    "anthropic": ("input_tokens", "output_tokens"),
    "gemini": ("promptTokenCount", "candidatesTokenCount"),
    "ollama": ("prompt_eval_count", "eval_count"),
}


@pytest.mark.parametrize("nonsense", [-1, 2**63, MAX_TOKENS + 1, 1e9, 1.5, True, "7", [], {}])
@pytest.mark.parametrize(
    ("dialect", "name"), [(dialect, name) for dialect in SUMS for name in SUMS[dialect]]
)
def test_a_sum_that_is_no_number_of_tokens_is_unknown(
    dialect: str, name: str, nonsense: object
) -> None:
    """What was seen is charged then; a sum read as zero would be an answer for nothing."""
    report: Any = dict.fromkeys(SUMS[dialect], 5) | {name: nonsense}
    assert PARSERS[dialect]([report] if dialect == "anthropic" else report) is None


@pytest.mark.parametrize("nonsense", [-1, 2**63, 1e9, True, "7", None, [], {}])
def test_a_part_that_is_no_number_costs_as_its_sum(nonsense: object) -> None:
    details = {"cached_tokens": nonsense}
    report = {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": details}
    assert usage_of_openai(report) == Usage(9, 5)
    assert usage_of_openai(report | {"prompt_tokens_details": nonsense}) == Usage(9, 5)
