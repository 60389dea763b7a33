"""A probe: the request that costs nothing, asks no model, and says that a provider is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import quote

from penstock_config.provider import Provider, ProviderType
from penstock_operator.health.in_force import Reached

LISTS: Final[Mapping[ProviderType, str]] = {
    "openai": "/models",
    "azure-openai": "/openai/v1/models",
    "anthropic": "/v1/models",
    "gemini": "/models",
    "ollama": "/api/tags",
}
"""Where each kind lists its models, below its address."""
DATED_AZURE: Final = "/openai/models"
"""Where a dated version of the API lists them."""
UNDATED: Final = frozenset({None, "preview", "latest"})
ANTHROPIC_VERSION: Final = "2023-06-01"
COUNTED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Of 4xx, as sidecars count them: with any other the provider has shown that it is there."""
OURS: Final = "the operator runs it, and tells of its replicas by Scheduled and ModelsReady"
"""Nobody is at its address while it sleeps, which is no fault: a probe would close it to whoever
could wake it."""
NO_KEY: Final = "its key is not there"
ENTRA: Final = "its tokens come from Entra, and only sidecars fetch them"
NO_AUTHORITIES: Final = "its CA certificate is not there"
NO_LOGIN: Final = "its proxy's login is not there"
SWITCHED_OFF: Final = "probes are switched off (the chart's health.probes)"
Result = Literal["ok", "failed", "rejected"]
"""rejected: it is there, and does not know the key."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask."""

    url: str = field(repr=False)
    """May hold the key, where that is sent in the query."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def probe_of(reached: Reached) -> Probe | str:
    """Or why there is none: then only what sidecars meet counts."""
    provider = reached.provider
    if provider.managed is not None or provider.entra is not None:
        return OURS if provider.managed else ENTRA
    if provider.needs_key and reached.key is None:
        return NO_KEY
    if provider.private_ca and reached.authorities is None:
        return NO_AUTHORITIES
    if provider.proxy_login and reached.proxy_login is None:
        return NO_LOGIN
    return _asking(provider, reached.key.get_secret_value() if reached.key else None)


def result_of(status: int) -> Result:
    """What a response says, by its status alone."""
    if status in COUNTED or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "failed"
    return "rejected" if status == HTTPStatus.UNAUTHORIZED else "ok"


def _asking(provider: Provider, key: str | None) -> Probe:
    headers = {**provider.headers}
    if provider.type == "anthropic":
        headers.setdefault("anthropic-version", ANTHROPIC_VERSION)
    query = []
    path = LISTS[provider.type]
    if provider.type == "azure-openai" and provider.api_version is not None:
        query.append(f"api-version={quote(provider.api_version)}")
        path = path if provider.api_version in UNDATED else DATED_AZURE
    if key is not None:
        match provider.auth.scheme:
            case "Bearer":
                headers["Authorization"] = f"Bearer {key}"
            case "Header":
                headers[provider.auth.name] = key
            case "Query":
                query.append(f"{quote(provider.auth.name)}={quote(key, safe='')}")
    url = provider.base_url.rstrip("/") + path
    return Probe("?".join((url, "&".join(query))) if query else url, headers)
