"""OpenAI's chat completion request: https://platform.openai.com/docs/api-reference/chat/create.

Checks what routing, limits and cache build upon; everything else is the provider's to judge, and
unknown fields pass through. No message repeats a value of the caller's: it may be his prompt.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import model_of, read_document, without_own_fields
from penstock_sidecar.normalise.fields import count_field, flag_field, object_field
from penstock_sidecar.normalise.messages import Messages, read_messages

MAX_CHOICES: Final = 128
JSON_FORMATS: Final = ("json_object", "json_schema")


def parse_chat(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, "`model` and `messages`")
    model = model_of(document)
    found: Messages = read_messages(document)
    stream = flag_field(document, "stream")
    control = cache_control(headers, document.get("cache"))
    body, document = without_own_fields(body, document)
    return Request(
        call_id=call_id,
        api="openai-chat",
        model=model,
        stream=stream,
        usage_wanted=usage_wanted(document, stream=stream),
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


def usage_wanted(document: JsonObject, *, stream: bool) -> bool:
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
