"""Rates, and the queue for what exceeds them: shared by providers, tiers and policies."""

from typing import ClassVar, Final, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.rules import Rule, at_least_one

FIGURES: Final = (
    "requestsPerMinute",
    "tokensPerMinute",
    "requestsPerDay",
    "tokensPerDay",
    "concurrentRequests",
)
"""The fields of a set of limits that bound something."""


class Rates(ApiModel):
    """Upper bounds. One that is absent bounds nothing."""

    requests_per_minute: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Requests in any 60 seconds."
    )
    tokens_per_minute: int | None = Field(
        None, ge=1, le=1_000_000_000_000, description="Input and output tokens in any 60 seconds."
    )
    requests_per_day: int | None = Field(
        None, ge=1, le=1_000_000_000_000, description="Requests in a calendar day (UTC)."
    )
    tokens_per_day: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000_000_000,
        description="Input and output tokens in a calendar day (UTC).",
    )
    concurrent_requests: int | None = Field(
        None, ge=1, le=1_000_000, description="Requests in flight at any moment."
    )


class Queue(ApiModel):
    """How long, and with how many others, a request waits for its turn."""

    max_wait_seconds: int = Field(
        30, ge=1, le=600, description="Longest wait, within the caller's own deadline. Default: 30."
    )
    max_length: int = Field(
        100, ge=1, le=100_000, description="Most requests that wait at once. Default: 100."
    )


class ProviderLimits(Rates):
    """What a provider grants to everybody together."""

    invariants: ClassVar[tuple[Rule, ...]] = (at_least_one(*FIGURES),)

    pacing: Literal["Window", "Smooth"] = Field(
        "Window",
        description="Window: at most the limit in any 60 seconds, at once if need be. Smooth:"
        " evenly spaced, for a provider that punishes bursts. Default: Window.",
    )
