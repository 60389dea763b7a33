"""Providers and what is known of them, as short as can be."""

from datetime import UTC, datetime
from typing import Any

from penstock_config.breaker import Record, Standing
from penstock_config.provider import Model, Provider
from penstock_operator.health.judging import Facts, Probed

AT = datetime(2026, 11, 22, tzinfo=UTC)
NOW_MS = 1_000_000.0


def provider(**fields: Any) -> Provider:
    least: dict[str, Any] = {
        "id": "llm/own",
        "type": "openai",
        "base_url": "https://provider.example/v1",
        "needs_key": False,
        "models": tuple(
            Model(name=name, upstream_name=name, capabilities=("chat",)) for name in ("a", "b")
        ),
    }
    return Provider(**least | fields)


def standing(**records: Record) -> Standing:
    """`chat_a` is the field `chat/a`, `whole` the provider's own."""
    named = {name.replace("_", "/").replace("whole", "*"): each for name, each in records.items()}
    return Standing(now=NOW_MS, records=named)


def opened(reason: str = "provider_timeout", *, left_ms: float = 1000) -> Record:
    return Record(until_ms=NOW_MS + left_ms, opened_ms=NOW_MS - 1000, reason=reason)


def probed(result: Any = "ok", said: str = "status 200", failures: int = 0) -> Probed:
    return Probed(AT, result, said, failures)


def facts(**fields: Any) -> Facts:
    """A provider that works."""
    least: dict[str, Any] = {"provider": provider(), "probed": probed(), "standing": standing()}
    return Facts(**least | fields)
