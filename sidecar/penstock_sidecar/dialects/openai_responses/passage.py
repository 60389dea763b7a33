"""From caller to provider in the same dialect: the caller's own bytes, with what must differ."""

import orjson

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.openai_responses.thoughts import OURS, is_ours
from penstock_sidecar.model import Request

OUR_FIELD = "extra_content"
MARKS = (OURS.encode(), OUR_FIELD.encode())
"""One of these is in every request that holds what we wrote for other providers."""


def changed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs."""
    document, changes = request.document, dict[str, object]()
    if request.model != ask.model:
        changes["model"] = ask.model
    if (most := ask.max_output_tokens) is not None:
        own = document.get("max_output_tokens")
        changes["max_output_tokens"] = min(own, most) if isinstance(own, int) else most
    if any(mark in request.body for mark in MARKS):
        changes["input"] = _only_its_own(document.get("input"))
    if ask.nudge:
        changes["input"] = [*_items(changes.get("input", document.get("input"))), NUDGE_MESSAGE]
    dropped = ask.quirks.drops & document.keys()
    if not changes and not dropped:
        return request.body
    kept = {name: value for name, value in document.items() if name not in dropped}
    return orjson.dumps({**kept, **changes})


def _only_its_own(given: object) -> object:
    if not isinstance(given, list):
        return given
    return [_without_ours(item) for item in given if not is_ours(item)]


def _without_ours(item: object) -> object:
    if not isinstance(item, dict) or OUR_FIELD not in item:
        return item
    return {name: value for name, value in item.items() if name != OUR_FIELD}


def _items(given: object) -> list[object]:
    """A text is one message."""
    if isinstance(given, list):
        return given
    return [{"role": "user", "content": given}] if given else []
