"""Which requests go where, with which limits, cache and retries."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel, ObjectId
from penstock_config.cache import Cache
from penstock_config.classification import Complexity, Task
from penstock_config.compression import Compression
from penstock_config.provider import RateLimits
from penstock_config.queue import Queue

Modality = Literal["text", "image", "audio"]
PersonalData = Literal["Always", "Header", "Never"]
"""Which requests hold personal data: all, those whose header says so, or none."""


class Requirement(ConfigModel):
    """One line of a label selector, as Kubernetes means it."""

    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


class Selector(ConfigModel):
    """A label selector. An empty one selects every pod of the namespace."""

    match_labels: Mapping[str, str] = {}
    match_expressions: tuple[Requirement, ...] = ()


class Target(ConfigModel):
    """Where a request goes: exactly one of the three. `denied` is the text of a 503."""

    tier: ObjectId | None = None
    model: str | None = None
    """A model's name: every candidate of that name in the policy's tiers, in tier order."""
    denied: str | None = None


class HeaderMatch(ConfigModel):
    name: str
    """Lower case."""
    value: str
    """A glob."""


class Match(ConfigModel):
    """All given conditions must hold; of each list any, but of headers all.

    An empty match holds always.
    """

    models: tuple[str, ...] = ()
    """Globs over the name that the caller sent."""
    users: tuple[str, ...] = ()
    """Globs over the caller's user."""
    headers: tuple[HeaderMatch, ...] = ()
    max_input_tokens: int | None = Field(None, ge=1)
    """Holds when the estimated input is not larger."""
    modalities: tuple[Modality, ...] = ()
    """What the request's messages hold, any of the list; `text` is text alone. Since version 2."""
    tasks: tuple[Task, ...] = ()
    """What the request is about, any of the list. Since version 2."""
    complexity: tuple[Complexity, ...] = ()
    """How hard it is, any of the list. Since version 2."""


class Retry(ConfigModel):
    """Tries of one candidate: `attempts` of 1 is no retry."""

    attempts: int = Field(2, ge=1, le=10)
    backoff_ms: int = Field(200, ge=0)


class Overrides(ConfigModel):
    """What a rule changes for its requests."""

    timeout_seconds: int | None = Field(None, ge=1)
    """Over all attempts; `None` is the tier's."""
    max_output_tokens: int | None = Field(None, ge=1)
    """The caller's own, if lower, stays."""
    cache_bypassed: bool = False
    """Neither looked up nor stored."""
    retry: Retry | None = None
    """`None` is the policy's."""


class Rule(ConfigModel):
    name: str
    match: Match = Match()
    target: Target
    overrides: Overrides = Overrides()
    """Since version 2."""


class UserSource(ConfigModel):
    """Where the caller's user is found. `name` is a header's, lower case."""

    kind: Literal["Header", "BodyUser", "MetadataUserId"]
    name: str | None = None


class Identity(ConfigModel):
    """First source that has a value wins; none gives `anonymous`, or 400 where `required`."""

    user_from: tuple[UserSource, ...] = (
        UserSource(kind="Header", name="x-penstock-user"),
        UserSource(kind="BodyUser"),
    )
    required: bool = False
    max_subjects: int = Field(10_000, ge=1)
    """Users, and values of a limit's header, told apart at a time; further ones share a bucket."""


class CallerLimit(ConfigModel):
    """A limit that callers share: everybody of one app, pod, user, or header value has his own."""

    name: str
    per: Literal["App", "Pod", "User", "Header"]
    header: str | None = None
    """Lower case; with `per` Header only."""
    limits: RateLimits
    weight: int = Field(1, ge=1)
    """The policy's share of a provider's limits when apps wait for them: its highest counts."""
    reserved_percent: int = Field(0, ge=0, le=100)
    """Kept for requests of high priority."""
    on_exceeded: Literal["Reject", "Queue"] = "Reject"
    queue: Queue = Queue()
    """With `on_exceeded` Queue only."""
    shadow: bool = False
    """Count and report, deny nothing."""
    lease: bool = False
    """Take a little ahead where traffic is dense: fewer round trips, and up to half a second's
    worth of the limit more within a minute."""


class Memory(ConfigModel):
    """Turns that are kept for requests with `x-penstock-session`."""

    messages: int = Field(10, ge=1)
    idle_seconds: int = Field(1800, ge=1)
    summarise: bool = False
    """Older turns are summed up by a model of the policy's own; else they are forgotten."""


class Images(ConfigModel):
    """What becomes of pictures in requests."""

    max_side_pixels: int = Field(ge=1)
    """Larger ones are scaled down to this longest side."""


class Policy(ConfigModel):
    """One policy rules a pod: the first in `SidecarConfig.policies` that selects it."""

    id: ObjectId
    selector: Selector = Selector()
    rules: tuple[Rule, ...] = ()
    default: Target | None = None
    """For requests that no rule matches and whose model name says nothing; `None` is 404."""
    tiers: tuple[ObjectId, ...]
    """Every tier the policy may use, in order of mention, fallback tiers included."""
    downgrade_tiers: tuple[ObjectId, ...] = ()
    """Further tiers to which alone a budget's `downgrade` leads, fallback tiers included: callers
    reach neither these nor their models by name."""
    identity: Identity = Identity()
    limits: tuple[CallerLimit, ...] = ()
    request_priority: Literal["Low", "Normal", "High"] = "Normal"
    cache: Cache = Cache()
    retry: Retry = Retry()
    memory: Memory | None = None
    """Since version 2; `None` is off."""
    images: Images | None = None
    """Since version 2; `None` leaves them as sent."""
    compression: Compression | None = None
    """Since version 2; `None` leaves prompts as sent."""
    personal_data: PersonalData = "Always"
    on_redis_loss: Literal["LocalShare", "Open", "Closed"] = "LocalShare"
    sidecars: int = Field(1, ge=1)
    """Pods that the policy rules, rounded up to a power of two (so that it seldom changes): what a
    limit is divided by while Redis is away."""
