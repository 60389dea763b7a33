from dataclasses import replace
from typing import Any

import pytest

from penstock_sidecar.cache.semantic.eligible import MAX_CHARACTERS, eligible
from penstock_sidecar.model import Request
from tests.sidecar.cache.semantic.test_turn import parsed, user


def asked(content: str = "hello there", **document: Any) -> Request:
    return parsed("openai-chat", messages=[user(content)], **document)


def may(request: Request, *, deterministic: bool = True) -> bool:
    return eligible(request, require_deterministic=deterministic) is not None


@pytest.mark.parametrize("temperature", [0, 0.0, None])
def test_temperature_is_0_or_nothing(temperature: float | None) -> None:
    assert may(asked(temperature=temperature))
    assert may(asked())


@pytest.mark.parametrize("temperature", [0.01, 1, True, False, "0"])
def test_any_other_temperature_is_not_compared(temperature: object) -> None:
    assert not may(asked(temperature=temperature))


def test_ollama_says_its_temperature_among_options() -> None:
    def of(temperature: float) -> Request:
        options = {"temperature": temperature}
        return parsed("ollama-chat", messages=[user("hello there")], options=options)

    assert may(of(0))
    assert not may(of(0.7))


def test_where_the_policy_asks_for_no_determinism_temperature_does_not_matter() -> None:
    assert may(asked(temperature=1.5), deterministic=False)


@pytest.mark.parametrize("value", ["true", "True", " true "])
def test_a_critical_request_is_not_compared(value: str) -> None:
    request = replace(asked(), headers={"x-penstock-critical": value})
    assert not may(request)


def test_one_that_says_it_is_not_critical_is() -> None:
    assert may(replace(asked(), headers={"x-penstock-critical": "false"}))


def test_what_is_surely_longer_than_the_models_window_is_not_even_asked() -> None:
    assert may(asked("x" * MAX_CHARACTERS))
    assert not may(asked("x" * (MAX_CHARACTERS + 1)))


@pytest.mark.parametrize("content", [" ", "\n\t"])
def test_a_blank_turn_means_nothing(content: str) -> None:
    assert not may(asked(content))


def test_half_a_surrogate_pair_is_no_text() -> None:
    request = asked()
    broken = replace(request, document={**request.document, "messages": [user("\ud800")]})
    assert not may(broken)
