"""A kept completion, streamed."""

from collections.abc import Iterator
from typing import cast

from penstock_sidecar.cache.forms.pieces import event, texts_of
from penstock_sidecar.dialects.sse import DONE_EVENT
from penstock_sidecar.model import JsonObject


def replayed(document: JsonObject, usage_wanted: bool) -> Iterator[bytes]:  # noqa: FBT001  # of `Streams`
    frame = {k: v for k, v in document.items() if k not in {"choices", "usage"}}
    no_usage = {"usage": None} if usage_wanted else {}
    for choice in cast("list[JsonObject]", document["choices"]):
        for piece in _pieces(choice):
            yield event({**frame, "choices": [piece], **no_usage})
    if usage_wanted:
        yield event({**frame, "choices": [], "usage": document["usage"]})
    yield DONE_EVENT


def _pieces(choice: JsonObject) -> Iterator[JsonObject]:
    """Its text, with the log probabilities of all of it beside the first piece; then its end."""
    begun = {"index": choice["index"], "finish_reason": None}
    logprobs = choice.get("logprobs")
    for text in texts_of(cast("str", choice["text"])):
        yield {**begun, "text": text, "logprobs": logprobs}
        logprobs = None
    yield {**choice, "text": "", "logprobs": None}
