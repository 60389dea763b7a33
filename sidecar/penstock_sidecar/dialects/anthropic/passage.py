"""From caller to provider in the same dialect: the caller's own bytes, with what must differ."""

from collections.abc import Mapping
from typing import Final

import orjson

from penstock_sidecar.dialects.anthropic.thinking import MIN_BUDGET_TOKENS
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.fields import list_of, object_of, string_of
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.signatures import google_s
from penstock_sidecar.model import JsonObject, Request

END: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def changed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs."""
    document, changes = request.document, dict[str, object]()
    if request.model != ask.model:
        changes["model"] = ask.model
    if ask.max_output_tokens is not None:
        changes |= _limits(document, ask.max_output_tokens)
    messages = [_provable(message) for message in list_of(document.get("messages"))]
    if ask.nudge:
        messages.append(NUDGE_MESSAGE)
    if messages != document.get("messages"):
        changes["messages"] = messages
    return orjson.dumps({**document, **changes}) if changes else request.body


def counted_body(request: Request, ask: Ask) -> bytes:
    """Of a request that only wants its tokens counted."""
    if request.model == ask.model:
        return request.body
    return orjson.dumps({**request.document, "model": ask.model})


def _limits(document: JsonObject, most: int) -> dict[str, object]:
    """Lowers `max_tokens`, and the budget of thoughts within it: it must be less."""
    limit = document.get("max_tokens")
    if isinstance(limit, int) and limit <= most:
        return {}
    changes: dict[str, object] = {"max_tokens": most}
    thinking = object_of(document.get("thinking"))
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and budget >= most:
        enough = most > MIN_BUDGET_TOKENS
        lowered = {**thinking, "budget_tokens": most - 1}
        changes["thinking"] = lowered if enough else {"type": "disabled"}
    return changes


def _provable(message: object) -> object:
    """Without thoughts that have no signature: another provider's, which came to the caller by us.
    Anthropic would refuse the conversation for them."""
    if not isinstance(message, Mapping) or not isinstance(content := message.get("content"), list):
        return message
    kept = [block for block in content if not _unproved(block)]
    return message if len(kept) == len(content) else {**message, "content": kept}


def _unproved(block: object) -> bool:
    if not isinstance(block, Mapping) or block.get("type") != "thinking":
        return False
    signature = string_of(block.get("signature"))
    return not signature or google_s(signature) is not None
