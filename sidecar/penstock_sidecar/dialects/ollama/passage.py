"""From caller to provider in Ollama's dialect: the caller's own bytes, with what must differ.

How long a model stays loaded, and with how much memory, is not the caller's to say: other callers
wait for the same GPU, and the planner has counted on what the platform says. So `keep_alive` and
the options of loading do not pass, and Ollama's own settings hold; an Ollama that the operator runs
is told what the platform says, in each body that is not the caller's own bytes.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.ollama.options import LOADING, num_predict_of, options_of
from penstock_sidecar.model import JsonObject, Request

NOT_THE_CALLERS: Final = frozenset({"keep_alive"})


def changed_body(request: Request, ask: Ask) -> bytes:
    """That of a chat. The caller's bytes where nothing differs."""
    return changed(request, ask, _nudged)


def embedding_body(request: Request, ask: Ask) -> bytes:
    """That of embeddings, which have no output to limit."""
    return changed(request, replace(ask, max_output_tokens=None, nudge=False), _nudged)


def changed(request: Request, ask: Ask, nudged: Callable[[JsonObject], JsonObject]) -> bytes:
    """`nudged` gives the fields that ask once more."""
    document, changes = request.document, dict[str, object]()
    if request.model != ask.model:
        changes["model"] = ask.model
    if (options := _options(document, ask.max_output_tokens)) != options_of(document):
        changes["options"] = options
    if ask.nudge:
        changes |= nudged(document)
    dropped = NOT_THE_CALLERS & document.keys()
    if not changes and not dropped:
        return request.body
    if ask.keep_alive_seconds is not None:
        changes["keep_alive"] = ask.keep_alive_seconds
    kept = {name: value for name, value in document.items() if name not in dropped}
    return orjson.dumps({**kept, **changes})


def _options(document: JsonObject, most: int | None) -> JsonObject:
    own = {name: v for name, v in options_of(document).items() if name not in LOADING}
    wanted = num_predict_of(document)
    if most is not None and (wanted is None or wanted > most):
        own["num_predict"] = most
    return own


def _nudged(document: JsonObject) -> JsonObject:
    messages = document.get("messages")
    own = messages if isinstance(messages, list) else []
    return {"messages": [*own, NUDGE_MESSAGE]}
