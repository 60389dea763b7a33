"""Ollama's requests for words: https://github.com/ollama/ollama/blob/main/docs/api.md.

A request without anything to answer is Ollama's way to load a model, and no error. What is still
odd is for the provider to judge. No message repeats a value of the caller's: it may be his prompt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.dialects.ollama.options import num_predict_of
from penstock_sidecar.dialects.ollama.pictures import media_type_of
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Api, JsonObject, Request
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import (
    model_of,
    read_document,
    refuse_other_case,
    without_own_fields,
)
from penstock_sidecar.normalise.fields import MAX_COUNT, flag_field, object_field

CONTENTS: Final[Mapping[Api, str]] = {
    "ollama-chat": "messages",
    "ollama-generate": "prompt",
    "ollama-embed": "input",
    "ollama-embeddings": "prompt",
}
"""What there is to answer."""
DEBUG: Final = "_debug_render_only"
"""Shows the model's template instead of an answer."""


@dataclass(frozen=True, slots=True)
class Attached:
    """What came along beside the text, all of it in `images`."""

    images: int = 0
    audio: int = 0
    """And all else that is no picture by its first bytes."""
    inline_bytes: int = 0
    """Of pictures."""

    @property
    def text_only(self) -> bool:
        return not (self.images or self.audio)


def parse_ollama_chat(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, "`model` and `messages`")
    attached = attached_to_chat(document)
    return _request("ollama-chat", body, document, headers, call_id, attached)


def parse_generate(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """The same of a prompt."""
    document = read_document(body, "`model` and `prompt`")
    for name in ("prompt", "system", "suffix", "template"):
        _require_text(document, name, name)
    attached = attached_to_prompt(document)
    return _request("ollama-generate", body, document, headers, call_id, attached)


def attached_to_chat(document: JsonObject) -> Attached:
    return _attached(_images_of_messages(document))


def attached_to_prompt(document: JsonObject) -> Attached:
    return _attached(_images(document, ""))


def asks_to_load(request: Request) -> bool:
    """There is nothing to answer: Ollama would load the model and say so."""
    given = CONTENTS.get(request.api)
    return given is not None and not request.document.get(given)


def _request(
    api: Api,
    body: bytes,
    document: dict[str, object],
    headers: Mapping[str, str],
    call_id: str,
    attached: Attached,
) -> Request:
    refuse_other_case(document)
    model = model_of(document)
    if flag_field(document, DEBUG):
        raise MalformedRequest(f"`{DEBUG}` is not served here: remove it", param=DEBUG)
    control = cache_control(headers, document.get("cache"))
    body, document = without_own_fields(body, document)
    return Request(
        call_id=call_id,
        api=api,
        model=model,
        stream=document.get("stream") is None or flag_field(document, "stream"),
        usage_wanted=True,
        body=body,
        document=document,
        headers=headers,
        images=attached.images,
        audio=attached.audio,
        inline_bytes=attached.inline_bytes,
        text_only=attached.text_only,
        json=_json_wanted(document.get("format")),
        tools=bool(document.get("tools")),
        max_output_tokens=_max_output_tokens(document),
        cache_control=control,
    )


def _images_of_messages(document: JsonObject) -> Iterator[str]:
    messages = document.get("messages")
    if messages is None:
        return
    if not isinstance(messages, list):
        raise MalformedRequest("`messages` must be a list of messages", param="messages")
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict):
            raise MalformedRequest(f"`{where}` must be an object", param=where)
        refuse_other_case(message, f"{where}.")
        if not isinstance(message.get("role"), str):
            raise MalformedRequest(f"`{where}.role` must be a string", param=f"{where}.role")
        _require_text(message, "content", f"{where}.content")
        yield from _images(message, f"{where}.")


def _images(holder: JsonObject, where: str) -> Iterator[str]:
    images = holder.get("images")
    if images is None:
        return
    if not isinstance(images, list):
        raise MalformedRequest(f"`{where}images` must be a list", param=f"{where}images")
    for index, data in enumerate(images):
        path = f"{where}images[{index}]"
        if not isinstance(data, str):
            raise MalformedRequest(f"`{path}` must be base64 data", param=path)
        yield data


def _attached(data: Iterator[str]) -> Attached:
    images = others = image_bytes = 0
    for each in data:
        if media_type_of(each) is None:
            others += 1
        else:
            images += 1
            image_bytes += len(each)
    return Attached(images, others, image_bytes)


def _require_text(document: JsonObject, name: str, where: str) -> None:
    if not isinstance(document.get(name), str | None):
        raise MalformedRequest(f"`{where}` must be a string", param=where)


def _json_wanted(value: object) -> bool:
    """By `json`, or by a schema."""
    if value is None or isinstance(value, str):
        return value == "json"
    if isinstance(value, dict):
        return True
    raise MalformedRequest("`format` must be `json` or a JSON schema", param="format")


def _max_output_tokens(document: JsonObject) -> int | None:
    """Ollama says -1 for no limit, and takes zero for it too."""
    options = object_field(document, "options") or {}
    value = options.get("num_predict")
    number = isinstance(value, int | float) and not isinstance(value, bool) and value <= MAX_COUNT
    if value is not None and not number:
        raise MalformedRequest(
            f"`options.num_predict` must be an integer up to {MAX_COUNT}",
            param="options.num_predict",
        )
    return num_predict_of(document)
