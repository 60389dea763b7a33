"""Places in a document, and the document with other texts there."""

from collections.abc import Iterable, Mapping, Sequence

from penstock_sidecar.model import JsonObject

Step = str | int
"""Into a field, or to an entry of a list."""


def with_texts_at(document: JsonObject, texts: Iterable[tuple[Sequence[Step], str]]) -> JsonObject:
    """What does not change is shared with the one that was given."""
    changed: object = document
    for path, text in texts:
        changed = _with(changed, path, text)
    return changed if isinstance(changed, Mapping) else document


def _with(node: object, path: Sequence[Step], text: str) -> object:
    if not path:
        return text
    step, rest = path[0], path[1:]
    if isinstance(node, list) and isinstance(step, int):
        return [*node[:step], _with(node[step], rest, text), *node[step + 1 :]]
    if isinstance(node, Mapping):
        return {**node, step: _with(node[str(step)], rest, text)}
    return node
