"""Who serves: addresses, models, prices and limits. Keys are in `credentials`."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel, ObjectId, PicoUsd

ProviderType = Literal["openai", "azure-openai", "anthropic", "gemini", "ollama"]
Capability = Literal["chat", "completions", "embeddings", "tools", "vision", "json", "reasoning"]


class RateLimits(ConfigModel):
    """What a provider grants, to everybody together. `None` is no limit."""

    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    requests_per_day: int | None = Field(None, ge=1)
    tokens_per_day: int | None = Field(None, ge=1)
    concurrent_requests: int | None = Field(None, ge=1)
    pacing: Literal["Window", "Smooth"] = "Window"
    """Smooth spaces requests and tokens evenly over the minute."""
    window_seconds: float = Field(60, gt=0)
    """Length of a "minute". The operator always writes 60; tests shorten it."""


class Price(ConfigModel):
    """What one unit costs. A class of tokens without a price of its own costs as its parent does:
    cached input as input, cache writes as input, those for an hour as writes, reasoning as output.
    """

    input_token: PicoUsd
    output_token: PicoUsd
    cached_input_token: PicoUsd | None = None
    cache_write_token: PicoUsd | None = None
    cache_write_1h_token: PicoUsd | None = None
    reasoning_token: PicoUsd | None = None
    image: PicoUsd = 0
    request: PicoUsd = 0
    long_context: "LongContext | None" = None


class LongContext(ConfigModel):
    """A request with more input than this costs another price, from its first token on."""

    above_input_tokens: int = Field(ge=1)
    price: Price


class Model(ConfigModel):
    """A model of a provider. `price` of `None` is unknown, which is not free."""

    name: str
    upstream_name: str
    capabilities: tuple[Capability, ...]
    context_window: int | None = Field(None, ge=1)
    max_output_tokens: int | None = Field(None, ge=1)
    price: Price | None = None
    quality: int | None = Field(None, ge=0, le=100)
    """How good its answers are, in tenths, as the platform team judges it. Since version 2."""
    expected_latency_ms: int | None = Field(None, ge=1)
    """Until the first token, until it was measured. Since version 2."""
    vram_bytes: int | None = Field(None, ge=1)
    """Of the provider's graphics memory, while it is loaded; `None` is unknown, and not counted.
    Since version 2."""
    parallel: int | None = Field(None, ge=1)
    """Requests that one replica of a managed provider answers with it at once. Since version 2."""
    load_seconds: float | None = Field(None, gt=0)
    """How long a replica takes to load it, as far as can be said beforehand. Since version 2."""
    limits: RateLimits = RateLimits()


class Managed(ConfigModel):
    """An Ollama that the operator runs: its replicas are in Redis (`fleet`). Since version 2."""

    keep_alive_seconds: int | None = Field(None, ge=0)
    """What is told to Ollama in place of the caller's `keep_alive`; `None` is for ever."""
    on_cold: Literal["Wait", "Fallback"] = "Wait"
    """With no replica ready. Wait: for the first, within the caller's time. Fallback: other
    candidates serve, and the fleet is woken meanwhile; the last one waits."""
    may_be_cold: bool = False
    """Whether it may have no replica at all."""
    on_demand: bool = False
    """Its replicas serve more models than they hold at once: models take turns, where memory and
    sizes are known. Since version 2."""
    memory_bytes: int | None = Field(None, ge=1)
    """Of one replica's graphics processors together; `None` is unknown. Since version 2."""
    headroom_bytes: int = Field(0, ge=0)
    """Of these, what is to stay free. Since version 2."""
    one_at_a_time: bool = False
    """A replica holds one model, however much memory there is: the rest is others'. Since
    version 2."""


class Auth(ConfigModel):
    """How a key is sent. `name` is the header or the query parameter."""

    scheme: Literal["Bearer", "Header", "Query"] = "Bearer"
    name: str = "Authorization"


class Entra(ConfigModel):
    """A token of Microsoft Entra ID in place of a key. Since version 2."""

    tenant_id: str
    client_id: str
    has_secret: bool
    """The application's secret is in `credentials`; else the pod's workload identity speaks."""


class Timeouts(ConfigModel):
    """Upper bounds of one attempt, in seconds."""

    connect_seconds: float = Field(5, gt=0)
    first_token_seconds: float = Field(60, gt=0)
    idle_seconds: float = Field(30, gt=0)
    total_seconds: float = Field(600, gt=0)


class Health(ConfigModel):
    """When a provider counts as failing."""

    failure_threshold: int = Field(3, ge=1)
    cooldown_seconds: float = Field(60, gt=0)


class Provider(ConfigModel):
    """A provider that some policy of the namespace can reach. Suspended ones are not in here."""

    id: ObjectId
    type: ProviderType
    preset: str | None = None
    """Which known provider it is: its peculiarities, where the address does not tell them. Since
    version 2."""
    base_url: str
    api_version: str | None = None
    """With `type` azure-openai: what each request says. `None` is the v1 API. Since version 2."""
    proxy_url: str | None = None
    """Proxy on the way there, for CONNECT. Since version 2."""
    proxy_login: bool = False
    """The proxy asks who comes; the answer is in `credentials`. Since version 2."""
    private_ca: bool = False
    """Its certificate is checked by the authorities in `credentials` alone. Since version 2."""
    auth: Auth = Auth()
    needs_key: bool
    """False for a provider without keys; True and no key in `credentials` is an error."""
    entra: Entra | None = None
    """Since version 2."""
    headers: Mapping[str, str] = {}
    models: tuple[Model, ...]
    limits: RateLimits = RateLimits()
    timeouts: Timeouts = Timeouts()
    health: Health = Health()
    may_send_personal_data: bool = True
    on_unknown_price: Literal["Deny", "UseHighest", "Free"] = "Deny"
    drain_seconds: float | None = Field(None, gt=0)
    """How long an answer is read on for its usage when its caller has left; `None` cuts it. Since
    version 2; sidecars of version 1 cut, and charge what was seen."""
    gpu_memory_bytes: int | None = Field(None, ge=1)
    """Of its graphics processors, for models that say what they take: how many of an ensemble it
    answers at a time. `None` is no bound. Since version 2."""
    managed: Managed | None = None
    """Since version 2; older sidecars reach its replicas by its Service."""
    sidecars: int = Field(1, ge=1)
    """Pods of all namespaces that can reach it, rounded up to a power of two (see `Policy`)."""
