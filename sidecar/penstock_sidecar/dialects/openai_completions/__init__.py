"""OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions."""

from typing import Final

from penstock_sidecar.dialects.dialect import CallerSide, Passage
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.openai_chat.passage import only_for_us
from penstock_sidecar.dialects.openai_completions.answer import CompletionReader, read_completion
from penstock_sidecar.dialects.openai_completions.passage import changed_body
from penstock_sidecar.dialects.openai_completions.read import read_request
from penstock_sidecar.dialects.openai_completions.reply import CompletionWriter, write_completion
from penstock_sidecar.dialects.passed import passed_side
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.sse import DONE_EVENT

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_request, CompletionWriter, write_completion, SSE.content_type
)
PASSAGE: Final = Passage(changed_body, only_for_us, DONE_EVENT)
PROVIDERS: Final = passed_side(SSE, CompletionReader, read_completion)
