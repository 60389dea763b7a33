"""Ollama's own dialect: docs/api.md of ollama/ollama, 0.12."""

from typing import Final

from penstock_sidecar.dialects.dialect import ProviderSide
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.dialects.ollama.answer import OllamaReader, read_answer
from penstock_sidecar.dialects.ollama.write import LACKS, write_chat
from penstock_sidecar.dialects.prompt import Prompt

PROVIDERS: Final[ProviderSide[Prompt]] = ProviderSide(
    LACKS, write_chat, LINES, OllamaReader, read_answer
)
