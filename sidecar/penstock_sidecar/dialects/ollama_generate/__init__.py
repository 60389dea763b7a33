"""Ollama's completion of a prompt, `/api/generate`: docs/api.md of ollama/ollama, 0.33."""

from typing import Final

from penstock_sidecar.dialects.dialect import CallerSide, Passage
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.dialects.ollama_generate.answer import GenerateReader, read_generated
from penstock_sidecar.dialects.ollama_generate.passage import changed_body
from penstock_sidecar.dialects.ollama_generate.read import read_generate
from penstock_sidecar.dialects.ollama_generate.reply import GenerateWriter, write_generated
from penstock_sidecar.dialects.passed import passed_side
from penstock_sidecar.dialects.prompt import Prompt

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_generate, GenerateWriter, write_generated, LINES.content_type
)
PASSAGE: Final = Passage(changed_body)
PROVIDERS: Final = passed_side(LINES, GenerateReader, read_generated)
