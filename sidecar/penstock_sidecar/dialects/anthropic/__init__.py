"""Anthropic's messages: https://platform.claude.com/docs/en/api/messages."""

from typing import Final

from penstock_sidecar.dialects.anthropic.answer import AnthropicReader, read_message
from penstock_sidecar.dialects.anthropic.counting import COUNTS
from penstock_sidecar.dialects.anthropic.headers import headers_for
from penstock_sidecar.dialects.anthropic.passage import END, changed_body, counted_body
from penstock_sidecar.dialects.anthropic.read import read_messages
from penstock_sidecar.dialects.anthropic.reply import AnthropicWriter, write_message
from penstock_sidecar.dialects.anthropic.write import LACKS, write_messages
from penstock_sidecar.dialects.dialect import CallerSide, Passage, ProviderSide
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.prompt import Prompt

__all__ = ["CALLERS", "COUNTS", "COUNT_PASSAGE", "PASSAGE", "PROVIDERS", "headers_for"]

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_messages, AnthropicWriter, write_message, SSE.content_type
)
PROVIDERS: Final[ProviderSide[Prompt]] = ProviderSide(
    LACKS, write_messages, SSE, AnthropicReader, read_message
)
PASSAGE: Final = Passage(changed_body, end=END)
COUNT_PASSAGE: Final = Passage(counted_body)
