"""How a provider is reached: headers, certificates, deployments, time-outs, health."""

from typing import Annotated, ClassVar, Final

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import KeyedBy
from penstock_operator.api.provider_model import ModelName
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.api.rules import Rule, ordered

_OURS: Final = (
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
)


class Header(ApiModel):
    """A header that goes with each request."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"!(self.name.lowerAscii() in {list(_OURS)})",
            "this header is set by the sidecar: remove it (for keys, use credentials)",
            lambda header: header.name.lower() not in _OURS,
        ),
    )

    name: str = Field(
        min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$", description="Its name."
    )
    value: str = Field(
        max_length=4096,
        pattern=r"^[\t\x20-\x7e]*$",
        description="Its value. Not for secrets: everybody who may read the resource sees it.",
    )


class AzureDeployment(ApiModel):
    """Which deployment serves a model."""

    model: ModelName = Field(description="Name of a model of `models`.")
    deployment: str = Field(
        min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="Its deployment."
    )


class Azure(ApiModel):
    """What Azure OpenAI wants besides."""

    api_version: str | None = Field(
        None,
        max_length=32,
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-preview)?$|^preview$|^latest$",
        description="`api-version` of each request. A date: the API of that date, with the"
        " deployment in the path. preview, latest: the v1 API. Default: none, the v1 API too.",
    )
    deployments: Annotated[tuple[AzureDeployment, ...], KeyedBy(("model",))] = Field(
        (),
        max_length=128,
        description="Deployments by model. Default: the model's `upstreamName`.",
    )


class Tls(ApiModel):
    """How the provider's certificate is checked."""

    ca_secret_ref: SecretKeyReference = Field(
        alias="caSecretRef", description="CA certificates (PEM) in a Secret of this namespace."
    )


class Health(ApiModel):
    """When the provider counts as failing."""

    interval_seconds: int = Field(
        30, ge=5, le=3600, description="Time between probes. Default: 30."
    )
    failure_threshold: int = Field(
        3, ge=1, le=100, description="Failures in a row that put a model out. Default: 3."
    )
    cooldown_seconds: int = Field(
        60, ge=1, le=86_400, description="How long it stays out at least. Default: 60."
    )


class Timeouts(ApiModel):
    """Upper bounds of one attempt."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        ordered("connectSeconds", "totalSeconds"),
        ordered("firstTokenSeconds", "totalSeconds"),
        ordered("idleSeconds", "totalSeconds"),
    )

    connect_seconds: int = Field(5, ge=1, le=60, description="Until connected. Default: 5.")
    first_token_seconds: int = Field(
        60, ge=1, le=3600, description="Until the first content. Default: 60."
    )
    idle_seconds: int = Field(
        30, ge=1, le=3600, description="Between two pieces of a stream. Default: 30."
    )
    total_seconds: int = Field(600, ge=1, le=86_400, description="In all. Default: 600.")


class DataPolicy(ApiModel):
    """What the provider may be sent."""

    may_send_personal_data: bool = Field(
        description="Whether requests with personal data may go there.",
    )


class Drain(ApiModel):
    """For how long an answer is read on for its usage, when the caller is gone."""

    max_seconds: int = Field(30, ge=1, le=600, description="Longest time. Default: 30.")
