"""`RoutePolicy`: which requests of which pods go where, within which limits."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from penstock_operator.api.base import ApiModel, Kind
from penstock_operator.api.identity import Attribution, Identity
from penstock_operator.api.limits import FIGURES, Queue, Rates
from penstock_operator.api.lists import BY_NAME
from penstock_operator.api.reference import HeaderName, LabelSelector, ObjectReference
from penstock_operator.api.route_cache import Cache
from penstock_operator.api.route_prompt import Compression, Images, Memory
from penstock_operator.api.route_rule import Retry, RouteRule
from penstock_operator.api.rules import Rule, at_least_one, sibling
from penstock_operator.api.status import CONDITION_COLUMNS, Status


class CallerLimit(Rates):
    """A limit that everybody of one app, pod, user or header value has for himself."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        at_least_one(*FIGURES),
        sibling("header", "per", "Header"),
        sibling("queue", "onExceeded", "Queue"),
    )

    name: str = Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
        description="Its name, in errors, headers and metrics.",
    )
    per: Literal["App", "Pod", "User", "Header"] = Field(
        description="Who has it for himself. Users are what the app says: pair with one per App."
    )
    header: HeaderName | None = Field(None, description="With `per: Header` only.")
    weight: int = Field(
        1, ge=1, le=100, description="Share of a provider's limits under contention. Default: 1."
    )
    reserved_percent: int = Field(
        0,
        ge=0,
        le=100,
        description="Part of the limit that is kept for requests of high priority. Default: 0.",
    )
    on_exceeded: Literal["Reject", "Queue"] = Field(
        "Reject", description="Reject: 429 at once. Queue: wait for its turn. Default: Reject."
    )
    queue: Queue | None = Field(None, description="With `onExceeded: Queue` only.")
    shadow: bool = Field(
        default=False, description="Counts and reports, denies nothing. Default: false."
    )
    lease: bool = Field(
        default=False,
        description="Takes a little of the limit ahead where traffic is dense, to save round trips:"
        " at most half a second's worth of the limit more within a minute. Only where all limits of"
        " the policy are leased and on requests alone, none with `onExceeded: Queue`,"
        " `reservedPercent` or `pacing: Smooth`. Default: false.",
    )


class RoutePolicySpec(ApiModel):
    """Which pods, and what becomes of their requests."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.defaultTier) || (has(self.rules) && self.rules.exists(r, has(r.tier)))",
            "name a tier, in defaultTier or in a rule: without one no model can be reached",
            lambda spec: spec.default_tier is not None or any(r.tier for r in spec.rules),
        ),
    )

    selector: LabelSelector = Field(
        LabelSelector(), description="Pods of this namespace. Default: all of them."
    )
    precedence: int = Field(
        0,
        ge=-1000,
        le=1000,
        description="One policy rules a pod: the highest; then the oldest. Default: 0.",
    )
    suspended: bool = Field(
        default=False, description="Takes it out of use, as if it were not there. Default: false."
    )
    rules: Annotated[tuple[RouteRule, ...], BY_NAME] = Field(
        (), max_length=64, description="The first that matches decides. Default: none."
    )
    default_tier: ObjectReference | None = Field(
        None,
        description="The ModelTier for what no rule matches and whose model name says nothing."
        " Default: such requests are refused (404).",
    )
    identity: Identity = Field(Identity(), description="Who the caller's user is.")
    attribution: Attribution | None = Field(
        None, description="Cost by agent, tool or feature. Default: off."
    )
    limits: Annotated[tuple[CallerLimit, ...], BY_NAME] = Field(
        (), max_length=16, description="All apply. Default: none."
    )
    request_priority: Literal["Low", "Normal", "High"] = Field(
        "Normal", description="Who goes first where requests wait. Default: Normal."
    )
    cache: Cache = Field(Cache(), description="Answers that are kept. Default: none.")
    retry: Retry = Field(Retry(), description="Tries of one candidate.")
    compression: Compression | None = Field(
        None, description="Shortens prompts before they are sent. Default: off."
    )
    memory: Memory | None = Field(
        None, description="Remembers conversations for clients that do not. Default: off."
    )
    images: Images | None = Field(None, description="What becomes of images. Default: as sent.")
    personal_data: Literal["Always", "Header", "Never"] = Field(
        "Always",
        description="Which requests hold personal data, and so go only to providers that may get"
        " it. Header: those with `x-penstock-personal-data: true`. Default: Always.",
    )
    on_redis_loss: Literal["LocalShare", "Open", "Closed"] = Field(
        "LocalShare",
        description="Limits while Redis is away. LocalShare: each sidecar grants its part. Open: no"
        " limits. Closed: 503. Default: LocalShare.",
    )


class SidecarCounts(ApiModel):
    """Which sidecars run which generation."""

    total: int = Field(ge=0, description="Pods that this policy rules.")
    current: int | None = Field(None, ge=0, description="Run the newest configuration.")
    stale: int | None = Field(None, ge=0, description="Run an older one.")
    rejected: int | None = Field(None, ge=0, description="Refused the newest one.")


class WarmingStatus(ApiModel):
    """What becomes of `cache.warm.configMapRef`."""

    last_schedule_time: datetime | None = Field(
        None, description="The last time of `schedule` for which prompts were queued."
    )
    last_queued: int | None = Field(
        None, ge=0, description="How many were queued then, for sidecars to ask."
    )
    next_schedule_time: datetime | None = Field(None, description="The next time of `schedule`.")


class RoutePolicyStatus(Status):
    """What is known of a policy."""

    sidecars: SidecarCounts | None = Field(None, description="Who runs it.")
    config_digest: str | None = Field(
        None, max_length=128, description="Digest of the configuration that carries it."
    )
    last_programmed_time: datetime | None = Field(
        None, description="When that configuration was last written."
    )
    warming: WarmingStatus | None = Field(None, description="What is asked ahead of time.")


class RoutePolicy(Kind):
    """Which requests of which pods go where, within which limits."""

    kind: ClassVar[str] = "RoutePolicy"
    plural: ClassVar[str] = "routepolicies"
    short_names: ClassVar[tuple[str, ...]] = ("route",)
    columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Default Tier", "string", ".spec.defaultTier.name", 0),
        ("Current", "integer", ".status.sidecars.current", 0),
        ("Sidecars", "integer", ".status.sidecars.total", 0),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
        *CONDITION_COLUMNS,
        ("Precedence", "integer", ".spec.precedence", 1),
        ("Stale", "integer", ".status.sidecars.stale", 1),
        ("Rejected", "integer", ".status.sidecars.rejected", 1),
        ("Suspended", "boolean", ".spec.suspended", 1),
    )
    status_type: ClassVar[type[BaseModel]] = RoutePolicyStatus

    spec: RoutePolicySpec
