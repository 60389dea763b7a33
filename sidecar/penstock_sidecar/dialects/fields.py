"""Fields of a document that may hold anything: what they are, or nothing. `null` counts as absent.

Requests were checked for their shape when they came; what is still odd here is a provider's to
judge in its own dialect, and `Unspeakable` in another.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.model import JsonObject


def object_of(value: object) -> JsonObject:
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def objects_of(value: object) -> list[tuple[int, JsonObject]]:
    """Those of a list that are objects, with their places."""
    return [(i, each) for i, each in enumerate(list_of(value)) if isinstance(each, Mapping)]


def string_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def refuse_unknown(
    document: JsonObject,
    translated: Collection[str],
    harmless: Collection[str],
    neutral: Mapping[str, tuple[object, ...]] | None = None,
) -> None:
    """Raises `Unspeakable` for a field that is neither, unless its value is a neutral one."""
    for name, value in document.items():
        if value is None or name in translated or name in harmless:
            continue
        if neutral is None or value not in neutral.get(name, ()):
            raise Unspeakable(name)


def number_field(document: JsonObject, name: str, where: str = "") -> Any:
    """An `int` or a `float`, or `None`. Raises `Odd`."""
    value = document.get(name)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise Odd(where or name, "a number")


def integer_field(document: JsonObject, name: str, where: str = "") -> int | None:
    value = document.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise Odd(where or name, "a whole number")


def stop_of(value: object, where: str) -> tuple[str, ...]:
    """One stop sequence, or a list of them."""
    match value:
        case None:
            return ()
        case str():
            return (value,)
        case [*stops] if all(isinstance(stop, str) for stop in stops):
            return tuple(str(stop) for stop in stops)
        case _:
            raise Odd(where, "a text or a list of texts")
