"""The one place where errors become HTTP (gateways.md, sections 2a and 2c).

Only `public` text leaves; whatever is not a `SidecarError` is one constant sentence, and a line in
the log.
"""

import logging
import math
from typing import Final

import orjson
from aiohttp import web

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.http.speech import OPENAI, Speech

logger = logging.getLogger(__name__)

UNEXPECTED: Final = "The sidecar failed at this request; its log names the call id and the place"


def public(error: Exception, call_id: str) -> SidecarError:
    """What the caller may hear of `error`; anything unexpected is logged here, once."""
    if isinstance(error, SidecarError):
        return error
    logger.error("http.unexpected_error", exc_info=error, extra={"call_id": call_id})
    return SidecarError(UNEXPECTED)


def response(error: SidecarError, call_id: str, speech: Speech = OPENAI) -> web.Response:
    """The whole answer, for errors that come before the first byte."""
    return web.Response(
        status=speech.status(error),
        body=orjson.dumps(speech.document(error, call_id)),
        headers={
            "content-type": "application/json",
            **dict.fromkeys(speech.id_headers, call_id),
            "x-penstock-call-id": call_id,
            **_retry_headers(error),
            **error.headers,
        },
    )


def _retry_headers(error: SidecarError) -> dict[str, str]:
    """`retry-after` counts whole seconds, rounded up: sooner would be refused again."""
    headers = {}
    if error.retry_after_seconds is not None:
        milliseconds = math.ceil(error.retry_after_seconds * 1000)
        headers["retry-after"] = str(math.ceil(milliseconds / 1000))
        headers["retry-after-ms"] = str(milliseconds)
    if error.should_retry is not None:
        headers["x-should-retry"] = "true" if error.should_retry else "false"
    return headers
