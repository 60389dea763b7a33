"""How many tokens a request has, as the provider counts: `/v1/messages/count_tokens`."""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.dialects.anthropic.answer import AnthropicReader
from penstock_sidecar.dialects.anthropic.write import LACKS, write_messages
from penstock_sidecar.dialects.dialect import Garbled, ProviderSide, SaidError
from penstock_sidecar.dialects.events import Ended, Event, OtherPiece
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.usage import token_count
from penstock_sidecar.model import JsonObject


def read_count(document: JsonObject) -> Iterator[Event]:
    if document.get("type") == "error":
        raise SaidError(document.get("error"))
    if token_count(document, "input_tokens") is None:
        raise Garbled("answered without a count of tokens")
    yield OtherPiece()
    yield Ended()


COUNTS: Final[ProviderSide[Prompt]] = ProviderSide(
    LACKS, write_messages, SSE, AnthropicReader, read_count
)
"""Only ever passed through, and never a stream: its answer is all that is its own."""
