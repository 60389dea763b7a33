"""Anthropic's messages request: https://platform.claude.com/docs/en/api/messages/create.

Checks what routing, limits and cache build upon; everything else is the provider's to judge, and
unknown fields pass through. No message repeats a value of the caller's: it may be his prompt.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Api, JsonObject, Request
from penstock_sidecar.normalise.blocks import Blocks, read_blocks
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import model_of, read_document
from penstock_sidecar.normalise.fields import count_field, flag_field, object_field

FORWARDED: Final = ("anthropic-version", "anthropic-beta")
MAX_HEADER_CHARACTERS: Final = 1024


def parse_messages(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, "`model`, `max_tokens` and `messages`")
    return _request(document, body, headers, call_id, "anthropic-messages")


def parse_count(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """The same for a request whose tokens are to be counted: it has no answer."""
    document = read_document(body, "`model` and `messages`")
    return _request(document, body, headers, call_id, "anthropic-count-tokens")


def _request(
    document: JsonObject, body: bytes, headers: Mapping[str, str], call_id: str, api: Api
) -> Request:
    answers = api == "anthropic-messages"
    model = model_of(document)
    found: Blocks = read_blocks(document)
    _refuse_unsendable(headers)
    return Request(
        call_id=call_id,
        api=api,
        model=model,
        stream=answers and flag_field(document, "stream"),
        usage_wanted=True,
        body=body,
        document=document,
        headers=headers,
        images=found.images,
        inline_bytes=found.inline_bytes,
        text_only=found.text_only,
        json=_json_wanted(document),
        tools=bool(document.get("tools")),
        max_output_tokens=_max_tokens(document) if answers else None,
        cache_control=cache_control(headers, None),
    )


def _max_tokens(document: JsonObject) -> int:
    limit = count_field(document, "max_tokens")
    if limit is None:
        raise MalformedRequest(
            "`max_tokens` is missing: say how many tokens the answer may have", param="max_tokens"
        )
    return limit


def _json_wanted(document: JsonObject) -> bool:
    """By a schema, where it stands since, and where it stood in the beta."""
    config = object_field(document, "output_config") or {}
    return config.get("format") is not None or document.get("output_format") is not None


def _refuse_unsendable(headers: Mapping[str, str]) -> None:
    """What is passed on must be something that a header can hold."""
    for name in FORWARDED:
        value = headers.get(name, "")
        if len(value) > MAX_HEADER_CHARACTERS or not (value.isascii() and value.isprintable()):
            raise MalformedRequest(
                f"header {name} must have at most {MAX_HEADER_CHARACTERS} printable characters",
                param=name,
            )
