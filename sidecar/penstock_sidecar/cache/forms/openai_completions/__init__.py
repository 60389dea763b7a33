"""OpenAI's legacy completions."""

from typing import Final

from penstock_sidecar.cache.forms.form import COMMON, Form, Streams
from penstock_sidecar.cache.forms.openai_completions.assembly import assembly
from penstock_sidecar.cache.forms.openai_completions.replay import replayed
from penstock_sidecar.cache.forms.openai_completions.whole import is_whole
from penstock_sidecar.dialects.framing import SSE

FORM: Final = Form(
    whole=is_whole,
    streams=Streams(SSE.content_type, assembly, replayed),
    ignored=COMMON
    | {
        "user",  # who asks, for the provider's abuse reports; the scope separates users
        "stream_options",  # how the answer is delivered
    },
)
