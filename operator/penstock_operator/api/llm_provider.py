"""`LLMProvider`: who serves models, at what price, within which limits."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, Field

from penstock_operator.api.address import Url, not_local_cel
from penstock_operator.api.base import ApiModel, Kind
from penstock_operator.api.connection import (
    Azure,
    DataPolicy,
    Drain,
    Header,
    Health,
    Timeouts,
    Tls,
)
from penstock_operator.api.credentials import Credentials
from penstock_operator.api.limits import ProviderLimits
from penstock_operator.api.lists import BY_NAME
from penstock_operator.api.ollama import Ollama
from penstock_operator.api.preset import PRESETS, PresetName, ProviderType
from penstock_operator.api.provider_model import ProviderModel
from penstock_operator.api.provider_status import LLMProviderStatus
from penstock_operator.api.reference import AllowedNamespaces, SecretKeyReference
from penstock_operator.api.rules import Rule, sibling
from penstock_operator.api.status import CONDITION_COLUMNS

_OWN_TYPE: Final = "self.preset in ['anthropic', 'gemini'] ? self.preset : 'openai'"
"""CEL: the type that a preset fills in."""
_LOCAL: Final = (
    "{} must not lead to this machine, its link or a metadata service: give the provider's address"
)


class LLMProviderSpec(ApiModel):
    """Who serves, how it is reached, what it serves."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.type) || has(self.preset)",
            "set type, or a preset that fills it in",
            lambda spec: spec.type is not None or spec.preset is not None,
        ),
        Rule(
            f"!has(self.type) || !has(self.preset) || self.type == ({_OWN_TYPE})",
            "type contradicts preset: remove type",
            lambda spec: None in (spec.type, spec.preset) or spec.type == PRESETS[spec.preset].type,
        ),
        Rule(
            "has(self.baseURL) || has(self.ollama) || (has(self.preset) && self.preset != 'vllm')",
            "set baseURL, or a preset that fills it in, or ollama to have one run",
            lambda spec: (
                bool(spec.base_url or spec.ollama)
                or (spec.preset is not None and PRESETS[spec.preset].base_url is not None)
            ),
        ),
        Rule(
            "!has(self.ollama) || !has(self.baseURL)",
            "set only one of ollama (we run it, and know where) and baseURL (you run it)",
            lambda spec: spec.ollama is None or spec.base_url is None,
        ),
        Rule(
            "!has(self.ollama) || (has(self.type) && self.type == 'ollama')",
            "ollama needs type: ollama",
            lambda spec: spec.ollama is None or spec.type == "ollama",
        ),
        Rule(
            "!has(self.azure) || (has(self.type) && self.type == 'azure-openai')",
            "azure needs type: azure-openai",
            lambda spec: spec.azure is None or spec.type == "azure-openai",
        ),
        Rule(
            "!has(self.credentials) || !has(self.credentials.entra)"
            " || (has(self.type) && self.type == 'azure-openai')",
            "credentials.entra needs type: azure-openai",
            lambda spec: (
                spec.credentials is None
                or spec.credentials.entra is None
                or spec.type == "azure-openai"
            ),
        ),
        Rule(
            "has(self.models) || has(self.preset)",
            "set models, or a preset of which the catalogue knows them",
            lambda spec: bool(spec.models) or spec.preset is not None,
        ),
        Rule(
            "!has(self.plan) || has(self.preset)",
            "plan needs a preset, whose plan it is",
            lambda spec: spec.plan is None or spec.preset is not None,
        ),
        Rule(
            "!has(self.proxySecretRef) || has(self.proxyURL)",
            "proxySecretRef needs proxyURL",
            lambda spec: spec.proxy_secret_ref is None or spec.proxy_url is not None,
        ),
        sibling("drain", "onDisconnect", "Drain"),
        Rule(not_local_cel("baseURL"), _LOCAL.format("baseURL")),
        Rule(not_local_cel("proxyURL"), _LOCAL.format("proxyURL")),
        Rule(
            f"(has(self.type) ? self.type : {_OWN_TYPE})"
            f" == (has(oldSelf.type) ? oldSelf.type : {_OWN_TYPE.replace('self', 'oldSelf')})",
            "the type cannot change: create another LLMProvider, then move the tiers to it",
        ),
    )

    preset: PresetName | None = Field(
        None, description="A known provider: fills in `type` and `baseURL`. Default: none."
    )
    type: ProviderType | None = Field(
        None,
        description="Protocol that it speaks; `openai` is also that of Groq, Together, vLLM and"
        " many others. Default: that of `preset`.",
    )
    base_url: Url | None = Field(
        None,
        alias="baseURL",
        description="Address up to and without `/chat/completions` and the like, such as"
        " `https://api.openai.com/v1`; of Gemini with the API's version; of Azure the resource's,"
        " such as `https://company.openai.azure.com`, of Anthropic and Ollama the host's."
        " Default: that of `preset`, or of the Ollama that we run.",
    )
    credentials: Credentials | None = Field(
        None, description="Keys, and how they are sent. Default: none are needed."
    )
    azure: Azure | None = Field(
        None, description="With `type: azure-openai` only. Default: the v1 API."
    )
    tls: Tls | None = Field(
        None,
        description="How its certificate is checked. Default: by the authorities of the image.",
    )
    proxy_url: Url | None = Field(
        None,
        alias="proxyURL",
        description="Proxy on the way out, by CONNECT where the provider is reached by https."
        " Default: none, whatever the environment says.",
    )
    proxy_secret_ref: SecretKeyReference | None = Field(
        None,
        description="`<user>:<password>` for the proxy, in a Secret of this namespace."
        " Default: it does not ask.",
    )
    headers: Annotated[tuple[Header, ...], BY_NAME] = Field(
        (), max_length=32, description="Headers that go with each request. Default: none."
    )
    suspended: bool = Field(
        default=False, description="Takes it out of use, as if it were not there. Default: false."
    )
    plan: Literal["Free", "Paid"] | None = Field(
        None,
        description="Which of the vendor's plans the keys are of; with `preset` only. Free: what"
        " the catalogue knows to be in it costs nothing and has its limits, and nothing else is"
        " served of the catalogue. Default: Paid.",
    )
    models: Annotated[tuple[ProviderModel, ...], BY_NAME] = Field(
        (),
        min_length=1,
        max_length=128,
        description="What it serves. Others cannot be reached. Default: every model for chat or"
        " embeddings that the catalogue has for `preset`.",
    )
    limits: ProviderLimits | None = Field(
        None, description="What it grants over all models and namespaces. Default: no bound."
    )
    health: Health = Field(Health(), description="When it counts as failing.")
    timeouts: Timeouts = Field(Timeouts(), description="Upper bounds of one attempt.")
    data_policy: DataPolicy | None = Field(
        None,
        description="What it may be sent. Default: everything.",
    )
    on_unknown_price: Literal["Deny", "UseHighest", "Free"] = Field(
        "Deny",
        description="What a request costs under a budget when its model has no price. Deny: it goes"
        " elsewhere. UseHighest: as the dearest model of the provider. Free: nothing."
        " Default: Deny.",
    )
    on_disconnect: Literal["Cancel", "Drain"] = Field(
        "Cancel",
        description="When the caller is gone. Cancel: the call is cut, what was seen is charged."
        " Drain: the answer is read on for its usage. Default: Cancel.",
    )
    drain: Drain | None = Field(None, description="With `onDisconnect: Drain` only.")
    ollama: Ollama | None = Field(
        None, description="Has us run it; with `type: ollama` only. Default: somebody else does."
    )
    allowed_namespaces: AllowedNamespaces = Field(
        AllowedNamespaces(), description="Whose tiers may use it. Default: those beside it."
    )


class LLMProvider(Kind):
    """Who serves models: its address, models, prices and limits."""

    kind: ClassVar[str] = "LLMProvider"
    plural: ClassVar[str] = "llmproviders"
    short_names: ClassVar[tuple[str, ...]] = ("llmp",)
    columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Type", "string", ".spec.type", 0),
        ("Preset", "string", ".spec.preset", 0),
        ("Healthy", "string", '.status.conditions[?(@.type=="Healthy")].status', 0),
        *CONDITION_COLUMNS,
        ("Base URL", "string", ".spec.baseURL", 1),
        ("Suspended", "boolean", ".spec.suspended", 1),
    )
    status_type: ClassVar[type[BaseModel]] = LLMProviderStatus

    spec: LLMProviderSpec
