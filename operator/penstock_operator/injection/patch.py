"""A JSON patch (RFC 6902) in the making: each change says its place, absent parents are made."""

from collections.abc import Mapping, Sequence
from typing import Any

Operation = Mapping[str, Any]
Place = Sequence[str | int]
"""Keys and indices from the document's root."""


class Patch:
    """Changes to one document, which is not touched. Indices are those of the document:
    `insert_first` moves what follows, so it comes last for its list."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._made: set[tuple[str | int, ...]] = set()
        self._operations: list[Operation] = []

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(self._operations)

    def put(self, parent: Place, key: str, value: object) -> None:
        """Sets a key of an object, new or not."""
        if self._is_there(parent):
            self._add((*parent, key), value)
        else:
            self._make(parent, {key: value})

    def append(self, parent: Place, value: object) -> None:
        """Puts an element at the end of a list."""
        if self._is_there(parent):
            self._add((*parent, "-"), value)
        else:
            self._make(parent, [value])

    def insert_first(self, parent: Place, value: object) -> None:
        """Puts an element at the start of a list."""
        if self._is_there(parent):
            self._add((*parent, 0), value)
        else:
            self._make(parent, [value])

    def _is_there(self, place: Place) -> bool:
        if tuple(place) in self._made:
            return True
        found: Any = self._document
        for step in place:
            found = found[step] if isinstance(step, int) else found.get(step)
            if found is None:
                return False
        return True

    def _make(self, place: Place, value: object) -> None:
        self._made.add(tuple(place))
        self._add(place, value)

    def _add(self, place: Place, value: object) -> None:
        path = "".join(f"/{_escaped(str(step))}" for step in place)
        self._operations.append({"op": "add", "path": path, "value": value})


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
