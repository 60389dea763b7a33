"""Which answers a `RoutePolicy` keeps, and for whom. A level is on when its object is there."""

from typing import ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel, Fraction
from penstock_operator.api.reference import ConfigMapKeyReference
from penstock_operator.api.rules import Rule, at_least_one

_TTL = "How long an answer is kept. Default: 3600."
_MAX_TTL_SECONDS = 2_592_000
"""30 days: a cache, not an archive."""


class ExactCache(ApiModel):
    """Answers to the same request."""

    ttl_seconds: int = Field(3600, ge=1, le=_MAX_TTL_SECONDS, description=_TTL)


class NormalisedCache(ApiModel):
    """Answers to requests that differ in spelling alone: white space, case, courtesy."""

    ttl_seconds: int = Field(3600, ge=1, le=_MAX_TTL_SECONDS, description=_TTL)


class SemanticCache(ApiModel):
    """Answers to requests whose last turn means the same."""

    threshold: Fraction = Field(
        "0.95", description='Least similarity, "0" to "1". Default: "0.95".'
    )
    ttl_seconds: int = Field(3600, ge=1, le=_MAX_TTL_SECONDS, description=_TTL)
    guard: bool = Field(
        default=True,
        description="Refuses a hit when numbers, names, negation or direction differ."
        " Default: true.",
    )
    shadow: bool = Field(
        default=False, description="Looks up and reports, but never answers. Default: false."
    )
    verify_percent: int = Field(
        0,
        ge=0,
        le=100,
        description="Of a hundred answers found this way, so many are not given: the model is asked"
        " instead, and what it says teaches how near a question must be. Default: 0.",
    )


class CacheWarming(ApiModel):
    """Answers that are made before anybody asks. Limits and budgets apply."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        at_least_one("configMapRef", "popular", "predict"),
        Rule(
            "!has(self.configMapRef) || has(self.schedule)",
            "configMapRef needs schedule: when its prompts are asked",
            lambda warm: warm.config_map_ref is None or warm.schedule is not None,
        ),
    )

    config_map_ref: ConfigMapKeyReference | None = Field(
        None, description="Prompts, one a line or as JSON requests. Default: none."
    )
    schedule: str | None = Field(
        None,
        max_length=64,
        pattern=r"^[0-9*,/-]+( [0-9*,/A-Za-z-]+){4}$",
        description='When, as five cron fields in UTC, such as "0 6 * * 1-5". Default: never.',
    )
    popular: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="So many of the most asked are refreshed before they expire. Default: none.",
    )
    predict: bool | None = Field(None, description="Asks what usually follows. Default: false.")


class Cache(ApiModel):
    """Answers that are kept. Without `exact`, `normalised` and `semantic`, none are."""

    exact: ExactCache | None = Field(
        None, description="For the same request; `{}` is on with defaults. Default: off."
    )
    normalised: NormalisedCache | None = Field(
        None, description="For another spelling; `{}` is on with defaults. Default: off."
    )
    semantic: SemanticCache | None = Field(
        None, description="For the same meaning; `{}` is on with defaults. Default: off."
    )
    scope: Literal["App", "User", "Namespace"] = Field(
        "App",
        description="Who shares answers: the pods of an app, one user of it, or every app of the"
        " namespace under this policy. Default: App.",
    )
    require_deterministic: bool | None = Field(
        None,
        description="Only requests with temperature 0 or none. Default: true for `semantic`, false"
        " for `exact` and `normalised`.",
    )
    count_hits_against_limits: bool = Field(
        default=False, description="Whether a hit uses the caller's limits. Default: false."
    )
    refresh_ahead_percent: int | None = Field(
        None,
        ge=1,
        le=99,
        description="A hit in this last part of an answer's life renews it behind the scenes."
        " Default: never.",
    )
    warm: CacheWarming | None = Field(
        None, description="Answers made before anybody asks. Default: off."
    )
    max_entry_bytes: int = Field(
        262_144, ge=1024, le=16_777_216, description="Larger answers are not kept. Default: 262144."
    )
