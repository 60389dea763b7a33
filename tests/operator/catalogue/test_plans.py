"""The free plans that ship."""

from datetime import date

from penstock_operator.api.preset import PRESETS
from penstock_operator.catalogue.plans import free_plans


def test_each_is_dated_says_its_source_and_bounds_every_model() -> None:
    assert free_plans()
    for preset, plan in free_plans().items():
        assert preset in PRESETS
        assert plan.date >= date(2026, 1, 1)
        assert plan.source.startswith("https://")
        for limits in plan.models.values():
            assert limits.requests_per_day or limits.tokens_per_day


def test_groq_s_are_those_that_it_publishes() -> None:
    limits = free_plans()["groq"].models["openai/gpt-oss-120b"]
    found = limits.model_dump(exclude_unset=True)
    assert found == {
        "requests_per_minute": 30,
        "requests_per_day": 1000,
        "tokens_per_minute": 8000,
        "tokens_per_day": 200_000,
    }
