"""OpenAI's chat completions."""

from typing import Final

from penstock_sidecar.cache.forms.form import COMMON, Form, Streams
from penstock_sidecar.cache.forms.openai_chat.assembly import assembly
from penstock_sidecar.cache.forms.openai_chat.replay import replayed
from penstock_sidecar.cache.forms.openai_chat.whole import is_whole
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import Request

SEARCHES: Final = ("web_search_options", "search_parameters")
"""OpenAI's, and xAI's. An empty object asks for it too."""


def keeps(request: Request) -> bool:
    """Not where the web is searched."""
    return all(request.document.get(name) is None for name in SEARCHES)


FORM: Final = Form(
    whole=is_whole,
    streams=Streams(SSE.content_type, assembly, replayed),
    ignored=COMMON
    | {
        "user",  # who asks, for the provider's abuse reports; the scope separates users
        "metadata",  # labels for the provider's dashboard; no model sees them
        "stream_options",  # how the answer is delivered
    },
    keeps=keeps,
)
