"""Single fields of a request's document, checked for their type. `null` counts as absent."""

from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject

MAX_COUNT: Final = 2**31 - 1


def flag_field(document: JsonObject, name: str, param: str | None = None) -> bool:
    """False where absent."""
    value = document.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        param = param or name
        raise MalformedRequest(f"`{param}` must be true or false", param=param)
    return value


def count_field(document: JsonObject, name: str, most: int = MAX_COUNT) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise MalformedRequest(f"`{name}` must be an integer from 1 to {most}", param=name)
    return value


def object_field(document: JsonObject, name: str) -> JsonObject | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedRequest(f"`{name}` must be an object", param=name)
    return value
