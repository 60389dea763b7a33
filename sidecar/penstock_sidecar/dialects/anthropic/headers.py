"""Headers that a provider of Anthropic's dialect gets beside ours: version and betas, no others."""

from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.model import Request

VERSION: Final = "anthropic-version"
BETA: Final = "anthropic-beta"
OUR_VERSION: Final = "2023-06-01"
"""What `write` writes. That of 2026-10-21 refuses every kind of sampling, also for models that take
it: https://platform.claude.com/docs/en/api/versioning."""
APIS: Final = frozenset({"anthropic-messages", "anthropic-count-tokens"})


def headers_for(configured: Mapping[str, str]) -> Callable[[Request], Mapping[str, str]]:
    """`configured` are the provider's own, of any case. A caller's version wins over them, betas of
    both count; what we write has a version of its own."""
    own = {name.lower(): value for name, value in configured.items()}

    def headers(request: Request) -> Mapping[str, str]:
        passed = request.api in APIS
        said = request.headers if passed else {}
        betas = [betas for betas in (own.get(BETA), said.get(BETA)) if betas]
        version = (said.get(VERSION) or own.get(VERSION)) if passed else None
        version = version or OUR_VERSION
        return {VERSION: version} | ({BETA: ",".join(betas)} if betas else {})

    return headers
