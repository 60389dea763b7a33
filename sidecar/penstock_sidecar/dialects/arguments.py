"""A tool call's arguments: text at OpenAI, an object at all others."""

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.prompt import ToolCall
from penstock_sidecar.model import JsonObject


def arguments_of(call: ToolCall) -> JsonObject:
    """Raises `Unspeakable` for those that are no object."""
    try:
        found = parse(call.arguments.encode("utf-8", "replace") or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unspeakable(call.where, " unless they are a JSON object")
    return found
