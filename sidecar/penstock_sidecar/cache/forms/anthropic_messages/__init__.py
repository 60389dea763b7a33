"""Anthropic's messages."""

from typing import Final

from penstock_sidecar.cache.forms.anthropic_messages.assembly import Assembly
from penstock_sidecar.cache.forms.anthropic_messages.replay import replayed
from penstock_sidecar.cache.forms.anthropic_messages.whole import is_whole
from penstock_sidecar.cache.forms.form import COMMON, Form, Streams
from penstock_sidecar.dialects.anthropic.headers import BETA, VERSION
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import Request

ELSEWHERE: Final = ("container", "mcp_servers")
"""The answer hangs on files and servers that are not what they were."""


def keeps(request: Request) -> bool:
    return not any(map(request.document.get, ELSEWHERE))


FORM: Final = Form(
    whole=is_whole,
    streams=Streams(SSE.content_type, Assembly, replayed),
    ignored=COMMON | {"metadata"},  # who asks, for the provider's abuse reports
    headers=(BETA, VERSION),
    keeps=keeps,
)
