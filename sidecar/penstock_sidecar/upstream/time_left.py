"""How each type of provider is told how long an answer is waited for: pure.

Google's servers give up by themselves then, also in the middle of a stream, which has no such end:
they are told of plain answers alone. OpenAI's and Anthropic's clients name their time-out in this
header, and gateways on the way (Penstock too) go by it. Ollama has no word for it.
"""

import math
from collections.abc import Mapping
from typing import Final

from penstock_config.provider import ProviderType

READ_TIMEOUT: Final = "x-stainless-read-timeout"
SERVER_TIMEOUT: Final = "x-server-timeout"
"""Whole seconds, as google-genai's client rounds them: up."""


def time_left_headers(type_: ProviderType, seconds: float, *, stream: bool) -> Mapping[str, str]:
    match type_:
        case "gemini" if stream:
            return {}
        case "gemini":
            return {SERVER_TIMEOUT: str(max(1, math.ceil(seconds)))}
        case "openai" | "azure-openai" | "anthropic":
            return {READ_TIMEOUT: f"{max(seconds, 0.001):.3f}"}
        case "ollama":
            return {}
