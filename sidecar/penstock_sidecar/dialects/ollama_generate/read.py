"""Reads a request as a conversation of one turn, which is what Ollama's template makes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from penstock_sidecar.dialects.fields import refuse_unknown, string_of
from penstock_sidecar.dialects.ollama.messages import read_images
from penstock_sidecar.dialects.ollama.read import COMMON, HARMLESS, SPELLED, prompt_of
from penstock_sidecar.dialects.prompt import Prompt, Text, Turn
from penstock_sidecar.model import JsonObject

TRANSLATED: Final = COMMON | {"prompt", "system", "images"}
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {
    "suffix": ("",),
    "template": ("",),
    "raw": (False,),
    "context": ([],),
}
"""Each works on the model's own text or tokens, which only the provider that runs it has."""


def read_generate(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    spelled = {**SPELLED, "messages": "prompt"}
    return replace(prompt_of(document, _turns(document)), spelled=spelled)


def _turns(document: JsonObject) -> Iterator[Turn]:
    if system := string_of(document.get("system")):
        yield Turn("system", (Text(system, "system"),), "system")
    prompt = string_of(document.get("prompt"))
    text = (Text(prompt, "prompt"),) if prompt else ()
    yield Turn("user", (*read_images(document), *text), "prompt")
