"""Azure OpenAI's paths: those of the v1 API, or of a dated one with the deployment in the path.

https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle and
https://learn.microsoft.com/azure/foundry/openai/reference.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from penstock_sidecar.dialects.dialect import Ask

Path = Callable[[Ask], str]
BY_BODY: Final = frozenset({"/responses"})
"""Dated APIs too find the deployment of these in the body."""
RESPONSES_SINCE: Final = "2025-03-01-preview"
"""https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses: no dated version that is
not a preview has them."""
_PHASES: Final = frozenset({"preview", "latest"})
"""Of the v1 API; everything else is a date."""


def has_responses(api_version: str | None) -> bool:
    """Whether this version of the API knows `/responses`."""
    undated = api_version is None or api_version in _PHASES
    return undated or str(api_version) >= RESPONSES_SINCE


def azure_paths(api_version: str | None) -> Callable[[str], Path]:
    """From OpenAI's path, such as `/chat/completions`, to the one below the resource's address.
    The model of an `Ask` is the deployment's name."""
    if api_version is None:
        return lambda path: lambda _: f"/openai/v1{path}"
    query = f"?api-version={api_version}"
    if api_version in _PHASES:
        return lambda path: lambda _: f"/openai/v1{path}{query}"
    return lambda path: _dated(path, query)


def _dated(path: str, query: str) -> Path:
    if path in BY_BODY:
        return lambda _: f"/openai{path}{query}"
    return lambda ask: f"/openai/deployments/{quote(ask.model, safe='')}{path}{query}"
