"""Where a provider is, and how its keys are sent: as its author says, else as its kind is."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from penstock_config.provider import Auth, Entra
from penstock_operator.api.credentials import Credentials
from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.preset import PRESETS, PresetName, ProviderType
from penstock_operator.ollama.names import OLLAMA_PORT

KEY_HEADERS: Final[Mapping[ProviderType, str]] = {
    "anthropic": "x-api-key",
    "gemini": "x-goog-api-key",
    "azure-openai": "api-key",
}
"""Where these types look for a key; the others take `Authorization: Bearer <key>`."""
_APPENDED: Final[Mapping[ProviderType, tuple[str, ...]]] = {
    "azure-openai": ("/openai/v1", "/openai"),
    "anthropic": ("/v1",),
    "ollama": ("/v1", "/api"),
}
"""What people copy along with an address of these types; the sidecar appends what is right."""

_AT_THE_TOP_TOO: Final[frozenset[PresetName]] = frozenset({"deepseek"})
"""https://api-docs.deepseek.com: the address with and without /v1."""


def type_of(spec: LLMProviderSpec) -> ProviderType:
    """The provider's protocol: its own word, else that of its preset."""
    if spec.type is not None or spec.preset is None:
        return spec.type or "openai"
    return PRESETS[spec.preset].type


def base_url_of(provider: LLMProvider) -> str:
    """The author's, else the preset's, else the Service of the Ollama that we run."""
    spec, meta = provider.spec, provider.metadata
    if spec.base_url is not None:
        return _without_appended(spec.base_url, type_of(spec))
    if spec.preset is not None and (known := PRESETS[spec.preset].base_url) is not None:
        return known
    return f"http://{meta.name}.{meta.namespace}.svc:{OLLAMA_PORT}"


def auth_of(credentials: Credentials | None, type_: ProviderType) -> Auth:
    """Where a key goes; a token goes as Bearer, always."""
    if credentials is None or credentials.entra is not None:
        return Auth()
    if credentials.scheme is None:
        header = KEY_HEADERS.get(type_)
        return Auth(scheme="Header", name=header) if header else Auth()
    if credentials.name is None:
        return Auth()
    return Auth(scheme=credentials.scheme, name=credentials.name)


def entra_of(credentials: Credentials | None) -> Entra | None:
    entra = credentials.entra if credentials else None
    if entra is None:
        return None
    return Entra(
        tenant_id=entra.tenant_id,
        client_id=entra.client_id,
        has_secret=entra.client_secret_ref is not None,
    )


def deployments_of(spec: LLMProviderSpec) -> Mapping[str, str]:
    """Azure's, by model: what it is to be called there."""
    return {each.model: each.deployment for each in spec.azure.deployments} if spec.azure else {}


def _without_appended(url: str, type_: ProviderType) -> str:
    if type_ not in _APPENDED:
        return url
    found = url.rstrip("/")
    return next((found.removesuffix(e) for e in _APPENDED[type_] if found.endswith(e)), found)


def whole_address(url: str, type_: ProviderType) -> str | None:
    """What was meant by `url`, where it is a vendor's host alone and no API is at the top of it."""
    parts = urlsplit(url)
    if parts.path.strip("/"):
        return None
    for name, known in PRESETS.items():
        if known.type == type_ and known.base_url and name not in _AT_THE_TOP_TOO:
            meant = urlsplit(known.base_url)
            if meant.hostname == parts.hostname and meant.path:
                return known.base_url
    return None
