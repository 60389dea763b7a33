"""Which answers a policy keeps, for whom, and how they are found again."""

from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel


class ExactCache(ConfigModel):
    """For the same request."""

    ttl_seconds: int = Field(3600, ge=1)


class NormalisedCache(ConfigModel):
    """For requests that differ in spelling alone."""

    ttl_seconds: int = Field(3600, ge=1)


class SemanticCache(ConfigModel):
    """For requests whose last turn means the same."""

    threshold: float = Field(0.95, ge=0, le=1)
    """Least cosine similarity."""
    ttl_seconds: int = Field(3600, ge=1)
    guard: bool = True
    """Refuses a hit whose words say that something else is meant."""
    shadow: bool = False
    """Looked up and reported; never an answer."""
    verify_percent: int = Field(0, ge=0, le=100)
    """Of a hundred answers found, so many are not given: the model is asked, to compare."""
    require_deterministic: bool = True
    """Only requests whose temperature is 0 or absent are looked up and stored."""


class Warming(ConfigModel):
    """Answers made before anybody asks."""

    prompts: bool = False
    """Prompts come on the policy's stream in Redis."""
    popular: int | None = Field(None, ge=1)
    """So many of the most asked are renewed before they expire."""
    predict: bool = False
    """What usually follows an answer is asked for."""


class Cache(ConfigModel):
    """Answers kept. A level of `None` is off."""

    exact: ExactCache | None = None
    normalised: NormalisedCache | None = None
    """Since version 2, as are all but `exact`, `scope`, `require_deterministic` and
    `max_entry_bytes`."""
    semantic: SemanticCache | None = None
    scope: Literal["App", "User", "Namespace"] = "App"
    require_deterministic: bool = False
    """Only requests with temperature 0 are looked up and stored, at the first two levels."""
    count_hits_against_limits: bool = False
    """A hit takes from the caller's limits of requests, as a call does."""
    refresh_ahead_percent: int | None = Field(None, ge=1, le=99)
    """A hit in this last part of an answer's life renews it; `None` is never."""
    warm: Warming | None = None
    max_entry_bytes: int = Field(262_144, ge=1)
