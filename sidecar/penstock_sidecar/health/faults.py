"""What speaks against a model, and of which of its endpoints: pure (gateways.md, AT24)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from penstock_config.breaker import Endpoint
from penstock_sidecar.errors import (
    UpstreamCredentials,
    UpstreamCrowded,
    UpstreamError,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamStarting,
    UpstreamTooLate,
)
from penstock_sidecar.model import Api

ENDPOINTS: Final[Mapping[Api, Endpoint]] = {
    "openai-chat": "chat",
    "anthropic-messages": "chat",
    "anthropic-count-tokens": "chat",
    "ollama-chat": "chat",
    "ollama-generate": "chat",
    "openai-responses": "responses",
    "openai-completions": "completions",
    "openai-embeddings": "embeddings",
    "ollama-embed": "embeddings",
    "ollama-embeddings": "embeddings",
}
"""Where a request goes at a provider: a responses API that fails takes no chat away."""
FORGIVEN: Final = (
    UpstreamCredentials,
    UpstreamCrowded,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamStarting,
    UpstreamTooLate,
)
COUNTED: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""Of 4xx."""


def counts(error: UpstreamError) -> bool:
    """408, 429, 5xx, connection errors, time-outs, empty and broken answers.

    Not 401 and 403, though the next candidate is tried: some providers answer 403 to a flagged
    prompt, and one caller's prompts must not take a model from all others. Nor what the protocol
    cannot say, what is too long for the model, or for the time that a caller gives: that is the
    request's doing. Nor an address or a name that is wrong: no time heals these. Nor a fleet of
    ours that is being started, or has no seat: that is over when it is, not after a cooldown.
    """
    if isinstance(error, FORGIVEN):
        return False
    status = error.provider_status
    return status is None or status in COUNTED or status >= HTTPStatus.INTERNAL_SERVER_ERROR
