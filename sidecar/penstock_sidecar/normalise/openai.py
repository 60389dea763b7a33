"""OpenAI's chat completion request: https://platform.openai.com/docs/api-reference/chat/create.

Checks what routing, limits and cache build upon; everything else is the provider's to judge, and
unknown fields pass through. No message repeats a value of the caller's: it may be his prompt.
"""

from collections.abc import Mapping
from typing import Final

import orjson

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.fields import count_field, flag_field, object_field
from penstock_sidecar.normalise.messages import Messages, read_messages

SPARE_LEVELS: Final = 54
MAX_DEPTH: Final = 254 - SPARE_LEVELS
"""orjson reads 1024 levels but writes 254, and later stages may wrap the document in their own."""
MAX_MODEL_CHARACTERS: Final = 256
MAX_CHOICES: Final = 128
JSON_FORMATS: Final = ("json_object", "json_schema")
OWN_FIELDS: Final = ("cache",)
"""Fields that speak to a gateway (LiteLLM's), which no provider knows."""


def parse_chat(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = _document(body)
    model = _model(document)
    found: Messages = read_messages(document)
    stream = flag_field(document, "stream")
    control = cache_control(headers, document.get("cache"))
    own = [name for name in OWN_FIELDS if name in document]
    if own:
        document = {name: value for name, value in document.items() if name not in own}
        body = orjson.dumps(document)
    return Request(
        call_id=call_id,
        api="openai-chat",
        model=model,
        stream=stream,
        usage_wanted=_usage_wanted(document, stream=stream),
        body=body,
        document=document,
        headers=headers,
        images=found.images,
        audio=found.audio,
        inline_bytes=found.inline_bytes,
        text_only=found.text_only,
        json=_json_wanted(document),
        tools=bool(document.get("tools") or document.get("functions")),
        max_output_tokens=_max_output_tokens(document),
        choices=count_field(document, "n", MAX_CHOICES) or 1,
        cache_control=control,
    )


def _document(body: bytes) -> dict[str, object]:
    if not body.strip():
        raise MalformedRequest("The body is empty: send a JSON object with `model` and `messages`")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        msg = f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        raise MalformedRequest(msg) from None
    if not isinstance(document, dict):
        raise MalformedRequest(
            "The body is not a JSON object: send one with `model` and `messages`"
        )
    _refuse_depth(body, document)
    return document


def _refuse_depth(body: bytes, document: JsonObject) -> None:
    """A document that nests too deep could be read but not written again."""
    if body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    wrapped: object = document
    for _ in range(SPARE_LEVELS):
        wrapped = [wrapped]
    try:
        orjson.dumps(wrapped)
    except TypeError:
        msg = f"The body nests deeper than {MAX_DEPTH} levels: flatten it"
        raise MalformedRequest(msg) from None


def _model(document: JsonObject) -> str:
    model = document.get("model")
    if model is None:
        raise MalformedRequest("`model` is missing: name a model, a tier, or `auto`", param="model")
    if not isinstance(model, str):
        raise MalformedRequest("`model` must be a string", param="model")
    if not model.strip() or len(model) > MAX_MODEL_CHARACTERS or not model.isprintable():
        raise MalformedRequest(
            f"`model` must have 1 to {MAX_MODEL_CHARACTERS} printable characters", param="model"
        )
    return model


def _usage_wanted(document: JsonObject, *, stream: bool) -> bool:
    options = object_field(document, "stream_options")
    if options is None:
        return False
    if not stream:
        raise MalformedRequest(
            "`stream_options` is allowed only with `stream: true`", param="stream_options"
        )
    return flag_field(options, "include_usage", "stream_options.include_usage")


def _json_wanted(document: JsonObject) -> bool:
    wanted = object_field(document, "response_format")
    return wanted is not None and wanted.get("type") in JSON_FORMATS


def _max_output_tokens(document: JsonObject) -> int | None:
    """The larger of both spellings: whichever the provider obeys, no more than this comes."""
    limits = [
        limit
        for name in ("max_completion_tokens", "max_tokens")
        if (limit := count_field(document, name)) is not None
    ]
    return max(limits, default=None)
