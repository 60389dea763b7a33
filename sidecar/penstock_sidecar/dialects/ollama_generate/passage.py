"""From caller to provider in Ollama's dialect: as a chat, but for the nudge."""

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.fields import string_of
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.ollama.passage import changed
from penstock_sidecar.model import JsonObject, Request


def changed_body(request: Request, ask: Ask) -> bytes:
    """The caller's bytes where nothing differs."""
    return changed(request, ask, _nudged)


def _nudged(document: JsonObject) -> JsonObject:
    return {"prompt": f"{string_of(document.get('prompt'))}\n\n{NUDGE}"}
