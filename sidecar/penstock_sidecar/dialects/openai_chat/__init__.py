"""OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat."""

from typing import Final

from penstock_sidecar.dialects.dialect import CallerSide, Passage, ProviderSide
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.openai_chat.answer import OpenAiReader, read_completion
from penstock_sidecar.dialects.openai_chat.passage import changed_body, only_for_us
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.openai_chat.reply import OpenAiWriter, write_completion
from penstock_sidecar.dialects.openai_chat.usual import usual_text
from penstock_sidecar.dialects.openai_chat.write import lacks_of, write_chat
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.quirks import Quirks
from penstock_sidecar.dialects.sse import DONE_EVENT

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_chat, OpenAiWriter, write_completion, SSE.content_type
)
PASSAGE: Final = Passage(changed_body, only_for_us, DONE_EVENT, usual_text)


def providers(quirks: Quirks) -> ProviderSide[Prompt]:
    """The provider's side of one that differs so."""
    return ProviderSide(lacks_of(quirks), write_chat, SSE, OpenAiReader, read_completion)
