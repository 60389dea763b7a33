"""Google's generateContent: https://ai.google.dev/api/generate-content (v1beta, November 2026)."""

from typing import Final

from penstock_sidecar.dialects.dialect import ProviderSide
from penstock_sidecar.dialects.gemini.answer import GeminiReader, read_answer
from penstock_sidecar.dialects.gemini.frames import EVENTS
from penstock_sidecar.dialects.gemini.write import LACKS, path_of, write_chat
from penstock_sidecar.dialects.prompt import Prompt

__all__ = ["PROVIDERS", "path_of"]

PROVIDERS: Final[ProviderSide[Prompt]] = ProviderSide(
    LACKS, write_chat, EVENTS, GeminiReader, read_answer
)
