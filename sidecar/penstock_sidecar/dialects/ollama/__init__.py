"""Ollama's chat, `/api/chat`: docs/api.md and api/types.go of ollama/ollama, 0.33."""

from typing import Final

from penstock_sidecar.dialects.dialect import CallerSide, Passage, ProviderSide
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.dialects.ollama.answer import OllamaReader, read_answer
from penstock_sidecar.dialects.ollama.passage import changed_body
from penstock_sidecar.dialects.ollama.read import read_chat
from penstock_sidecar.dialects.ollama.reply import OllamaWriter, write_answer
from penstock_sidecar.dialects.ollama.write import LACKS, write_chat
from penstock_sidecar.dialects.prompt import Prompt

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_chat, OllamaWriter, write_answer, LINES.content_type
)
PASSAGE: Final = Passage(changed_body)
PROVIDERS: Final[ProviderSide[Prompt]] = ProviderSide(
    LACKS, write_chat, LINES, OllamaReader, read_answer
)
