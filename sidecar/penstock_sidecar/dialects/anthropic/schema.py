"""JSON schemas as Anthropic takes them: it wants every object closed, and says so by refusing."""

from collections.abc import Mapping

from penstock_sidecar.model import JsonObject


def closed_schema(schema: JsonObject) -> dict[str, object]:
    """The same, with objects that say nothing of further properties closed to them: what fits it
    fits the given one too. An object without any named property stays as it is."""
    found = {name: _within(value) for name, value in schema.items()}
    if found.get("properties") and "additionalProperties" not in found:
        found["additionalProperties"] = False
    return found


def _within(value: object) -> object:
    if isinstance(value, Mapping):
        return closed_schema(value)
    if isinstance(value, list):
        return [_within(each) for each in value]
    return value
