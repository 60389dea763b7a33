"""OpenAI's responses: https://platform.openai.com/docs/api-reference/responses."""

from typing import Final

from penstock_sidecar.dialects.dialect import CallerSide, Passage
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.openai_responses.answer import ResponsesReader, read_response
from penstock_sidecar.dialects.openai_responses.passage import changed_body
from penstock_sidecar.dialects.openai_responses.read import read_request
from penstock_sidecar.dialects.openai_responses.reply import ResponsesWriter, write_response
from penstock_sidecar.dialects.passed import passed_side
from penstock_sidecar.dialects.prompt import Prompt

CALLERS: Final[CallerSide[Prompt]] = CallerSide(
    read_request, ResponsesWriter, write_response, SSE.content_type
)
PASSAGE: Final = Passage(changed_body)
PROVIDERS: Final = passed_side(SSE, ResponsesReader, read_response)
