"""Headers that a provider of Anthropic's dialect gets beside ours: version and betas, no others."""

from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.model import Request

VERSION: Final = "anthropic-version"
BETA: Final = "anthropic-beta"
DEFAULT_VERSION: Final = "2023-06-01"
"""The newest there is (November 2026)."""
APIS: Final = frozenset({"anthropic-messages", "anthropic-count-tokens"})


def headers_for(configured: Mapping[str, str]) -> Callable[[Request], Mapping[str, str]]:
    """`configured` are the provider's own, of any case. A caller's version wins over it, betas of
    both count."""
    own = {name.lower(): value for name, value in configured.items()}

    def headers(request: Request) -> Mapping[str, str]:
        said = request.headers if request.api in APIS else {}
        betas = [betas for betas in (own.get(BETA), said.get(BETA)) if betas]
        version = said.get(VERSION) or own.get(VERSION) or DEFAULT_VERSION
        return {VERSION: version} | ({BETA: ",".join(betas)} if betas else {})

    return headers
