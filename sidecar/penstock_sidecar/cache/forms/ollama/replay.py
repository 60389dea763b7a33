"""A kept answer, line by line."""

from collections.abc import Iterator
from typing import cast

from penstock_sidecar.cache.forms.ollama.said import CALLS, LAST, LOGPROBS, THINKING, Said
from penstock_sidecar.cache.forms.pieces import texts_of
from penstock_sidecar.dialects.ollama.reply import line
from penstock_sidecar.model import JsonObject


def replayed(said: Said, document: JsonObject, _: bool) -> Iterator[bytes]:  # noqa: FBT001  # of `Streams`
    """Each says when the answer was made. Usage always comes along."""
    around = said.around(document)
    head = {name: value for name, value in around.items() if name not in {*LAST, LOGPROBS}}
    last = {name: value for name, value in around.items() if name in LAST}
    words = cast("JsonObject", said.of(document))
    role = {"role": words["role"]} if said.holder and "role" in words else {}
    once: dict[str, object] = {**said.rest(words)}
    beside = {LOGPROBS: around[LOGPROBS]} if around.get(LOGPROBS) else {}
    for piece in _pieces(said, words):
        yield line(said.within({**head, "done": False, **beside}, {**role, **once, **piece}))
        once, beside = {}, {}
    yield line(said.within({**head, **last}, {**role, said.text: ""}))


def _pieces(said: Said, words: JsonObject) -> Iterator[JsonObject]:
    for piece in texts_of(str(words.get(THINKING) or "")):
        yield {said.text: "", THINKING: piece}
    for piece in texts_of(str(words[said.text])):
        yield {said.text: piece}
    if calls := words.get(CALLS):
        yield {said.text: "", CALLS: calls}
