"""Which requests a rule of a `RoutePolicy` is for, and where it sends them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_config.classification import Complexity, Task
from penstock_config.policy import Modality
from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import BY_NAME, DISTINCT
from penstock_operator.api.provider_model import ModelName
from penstock_operator.api.reference import ObjectReference
from penstock_operator.api.rules import Rule, exactly_one

Glob = Annotated[str, Field(min_length=1, max_length=200)]
"""`*` stands for any text, `?` for one character."""


class Retry(ApiModel):
    """Tries of one candidate before the next is asked."""

    attempts: int = Field(2, ge=1, le=10, description="Tries in all; 1 is no retry. Default: 2.")
    backoff_ms: int = Field(
        200, ge=0, le=60_000, description="First pause; it doubles, with jitter. Default: 200."
    )


class HeaderMatch(ApiModel):
    """A header of the request."""

    name: str = Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Its name, in any case.",
    )
    value: Glob = Field(description="Its value: a glob.")


class Match(ApiModel):
    """All that is given must hold; within one list, any. An empty match holds always."""

    models: Annotated[tuple[Glob, ...], DISTINCT] = Field(
        (), max_length=64, description="Globs over the model that the caller named."
    )
    tasks: Annotated[tuple[Task, ...], DISTINCT] = Field(
        (), max_length=8, description="What the request is about."
    )
    complexity: Annotated[tuple[Complexity, ...], DISTINCT] = Field(
        (), max_length=4, description="How hard it is."
    )
    modalities: Annotated[tuple[Modality, ...], DISTINCT] = Field(
        (), max_length=3, description="What it holds besides text."
    )
    users: Annotated[tuple[Glob, ...], DISTINCT] = Field(
        (), max_length=64, description="Globs over the caller's user."
    )
    headers: Annotated[tuple[HeaderMatch, ...], BY_NAME] = Field(
        (), max_length=16, description="Headers, all of which must match."
    )
    max_input_tokens: int | None = Field(
        None, ge=1, le=100_000_000, description="Holds when the estimated input is not larger."
    )
    cel: str | None = Field(
        None,
        min_length=1,
        max_length=1024,
        description="A CEL expression over the request that must be true.",
    )


class Overrides(ApiModel):
    """What the rule changes for its requests."""

    timeout_seconds: int | None = Field(
        None,
        ge=1,
        le=86_400,
        description="Longest time, over all attempts; of a stream, until its first content."
        " Default: the tier's.",
    )
    max_output_tokens: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="Most output tokens; a caller may ask for fewer. Default: no bound.",
    )
    cache: Literal["Use", "Bypass"] = Field(
        "Use", description="Bypass: neither looked up nor stored. Default: Use."
    )
    retry: Retry | None = Field(None, description="Tries of one candidate. Default: the policy's.")


class RouteRule(ApiModel):
    """One line of a policy: for which requests, and where to."""

    invariants: ClassVar[tuple[Rule, ...]] = (exactly_one("tier", "model"),)

    name: str = Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Its name, in logs, metrics and explanations.",
    )
    match: Match = Field(Match(), description="Which requests. Default: all.")
    tier: ObjectReference | None = Field(None, description="The ModelTier that serves them.")
    model: ModelName | None = Field(
        None, description="The model that serves them: one of a tier that the policy names."
    )
    overrides: Overrides | None = Field(
        None, description="What it changes for its requests. Default: nothing."
    )
