"""OpenAI's response request: https://platform.openai.com/docs/api-reference/responses/create.

Checks what routing, limits and cache build upon, as the chat's parser does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject, Request, Resumed
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import model_of, read_document, without_own_fields
from penstock_sidecar.normalise.fields import count_field, flag_field, object_field
from penstock_sidecar.normalise.input_items import items_of, read_input
from penstock_sidecar.normalise.openai import JSON_FORMATS
from penstock_sidecar.normalise.rewritten import rewritten

API: Final = "openai-responses"
FORMER: Final = "previous_response_id"
CONTEXTS: Final = (FORMER, "prompt", "conversation")
"""Fields that may stand for `input`."""


def parse_response(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, "`model` and `input`")
    model = model_of(document)
    _refuse_background(document)
    _require_input(document)
    control = cache_control(headers, document.get("cache"))
    body, document = without_own_fields(body, document)
    given = read_input(document)
    return Request(
        call_id=call_id,
        api=API,
        model=model,
        stream=flag_field(document, "stream"),
        usage_wanted=True,
        body=body,
        document=document,
        headers=headers,
        images=given.images,
        audio=given.audio,
        inline_bytes=given.inline_bytes,
        text_only=given.text_only,
        json=_json_wanted(document),
        tools=bool(document.get("tools")),
        max_output_tokens=count_field(document, "max_output_tokens"),
        cache_control=control,
    )


def former_id(request: Request) -> str | None:
    """The response that the request goes on from."""
    found = request.document.get(FORMER)
    return found if isinstance(found, str) else None


def going_on(request: Request, former: Sequence[object]) -> Request:
    """The same request with the `former` items before its own. Raises `MalformedRequest`."""
    document = {name: value for name, value in request.document.items() if name != FORMER}
    document["input"] = [*former, *items_of(request.document)]
    resumed = Resumed(former_id(request) or "", len(former))
    return replace(rewritten(request, document), resumed=resumed)


def _refuse_background(document: JsonObject) -> None:
    if flag_field(document, "background"):
        raise MalformedRequest(
            "`background` is not served here: nobody could fetch the answer", param="background"
        )


def _require_input(document: JsonObject) -> None:
    former = document.get(FORMER)
    if former is not None and not isinstance(former, str):
        raise MalformedRequest(f"`{FORMER}` must be a string", param=FORMER)
    if document.get("input") is None and all(document.get(name) is None for name in CONTEXTS):
        raise MalformedRequest("`input` is missing: send a text, or a list of items", param="input")


def _json_wanted(document: JsonObject) -> bool:
    text = object_field(document, "text") or {}
    wanted = text.get("format")
    return isinstance(wanted, Mapping) and wanted.get("type") in JSON_FORMATS
