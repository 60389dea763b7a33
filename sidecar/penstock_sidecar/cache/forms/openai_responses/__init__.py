"""OpenAI's responses, where nobody can go on from them.

A response that its provider stores (`store` is true unless the caller says no) is one thing with
one id: it can be fetched, gone on from and deleted. Given to two callers it would be deleted for
both, and at one who finds it by another question (levels 2 and 3) it would be the wrong past to
go on from; a copy under a new id would be unknown to the provider. So only what the caller forbids
to store is kept, and what needs nothing that lies at the provider. Fields of the request that the
answer repeats (`metadata`, `user`) count like all others: one caller's are not for the next.
"""

from typing import Final

from penstock_sidecar.cache.forms.form import COMMON, Form, Streams
from penstock_sidecar.cache.forms.openai_responses.assembly import Assembly
from penstock_sidecar.cache.forms.openai_responses.replay import replayed
from penstock_sidecar.cache.forms.openai_responses.whole import is_whole
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import Request

AT_THE_PROVIDER: Final = ("previous_response_id", "prompt", "conversation")
"""Name what only it knows, and may change."""


def keeps(request: Request) -> bool:
    """Nor where a sidecar put a former response before the input: the answer names it."""
    document = request.document
    return (
        document.get("store") is False
        and request.resumed is None
        and not any(map(document.get, AT_THE_PROVIDER))
    )


FORM: Final = Form(
    whole=is_whole,
    streams=Streams(SSE.content_type, Assembly, replayed),
    ignored=COMMON | {"stream_options"},  # how the answer is delivered
    keeps=keeps,
)
