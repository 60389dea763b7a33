"""From caller to provider in the same dialect: the caller's own bytes, with what must differ."""

import orjson

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.openai_chat.passage import with_usage
from penstock_sidecar.dialects.openai_completions.read import MAX_TOKENS
from penstock_sidecar.model import JsonObject, Request


def changed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs. A bound that he left out is said: what is reserved
    for the answer is the API's default, and a provider may have another."""
    document, changes = request.document, dict[str, object]()
    if request.model != ask.model:
        changes["model"] = ask.model
    changes |= _limit(document, ask.max_output_tokens)
    if request.stream and not request.usage_wanted and ask.quirks.asks_for_usage:
        changes["stream_options"] = with_usage(document)
    if ask.nudge:
        changes |= _nudged(document)
    dropped = ask.quirks.drops & document.keys()
    if not changes and not dropped:
        return request.body
    kept = {name: value for name, value in document.items() if name not in dropped}
    return orjson.dumps({**kept, **changes})


def _limit(document: JsonObject, most: int | None) -> dict[str, object]:
    own = document.get("max_tokens")
    if not isinstance(own, int):
        return {"max_tokens": MAX_TOKENS if most is None else min(most, MAX_TOKENS)}
    return {"max_tokens": most} if most is not None and most < own else {}


def _nudged(document: JsonObject) -> dict[str, object]:
    """Tokens and several prompts stay as they are: the next draw may differ."""
    match document.get("prompt"):
        case str(text) | [str(text)]:
            return {"prompt": f"{text}\n\n{NUDGE}\n\n"}
        case _:
            return {}
