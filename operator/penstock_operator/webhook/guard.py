"""The judge of what the operator's account changes on pods: its own annotation, nothing else. Pure.

Newer servers say the same by a ValidatingAdmissionPolicy; the right to patch pods cannot say it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from penstock_operator.api.names import MARK_ANNOTATION
from penstock_operator.webhook.review import Verdict

MAX_FIELDS: Final = 5
"""Named in a denial."""
BOOKKEEPING: Final = "managedFields"
"""The API server's own notes on who changed what."""
DOTTED: Final = {(".metadata", ".annotations"), (".metadata", ".labels")}
"""Maps whose keys hold dots."""
Document = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A `Judge`. Whoever is not `account` may do what his rights allow."""

    account: str

    def __call__(self, request: Document) -> Verdict:
        user = request.get("userInfo")
        name = user.get("username") if isinstance(user, Mapping) else None
        if not self.account or name != self.account or request.get("operation") != "UPDATE":
            return Verdict("allowed")
        former, document = request.get("oldObject"), request.get("object")
        if not isinstance(former, Mapping) or not isinstance(document, Mapping):
            return _denied("the whole object")
        changed = list(changed_fields(former, document))
        if not changed:
            return Verdict("allowed")
        named = ", ".join(changed[:MAX_FIELDS])
        more = len(changed) - MAX_FIELDS
        return _denied(f"{named} and {more} more" if more > 0 else named)


def changed_fields(former: Document, document: Document) -> Iterator[str]:
    """Paths such as `spec.containers[0].image`, without values; none of what is the operator's."""
    for path in _differences(_comparable(former), _comparable(document), ()):
        yield _text(path)


def _denied(fields: str) -> Verdict:
    text = (
        f"Penstock's operator may change a pod's annotation {MARK_ANNOTATION} alone, not {fields}"
    )
    return Verdict("denied", text, code=HTTPStatus.FORBIDDEN)


def _comparable(pod: Document) -> Document:
    """Without what may differ. No annotations are as good as empty ones."""
    metadata = pod.get("metadata")
    if not isinstance(metadata, Mapping):
        return pod
    annotations = metadata.get("annotations") or {}
    if not isinstance(annotations, Mapping):
        return pod
    others = {key: value for key, value in annotations.items() if key != MARK_ANNOTATION}
    kept = {key: value for key, value in metadata.items() if key != BOOKKEEPING}
    return {**pod, "metadata": {**kept, "annotations": others}}


def _differences(former: object, present: object, path: Path) -> Iterator[Path]:
    match former, present:
        case Mapping(), Mapping():
            for key in sorted({*former, *present}):
                inner = (*path, f"[{key}]" if path in DOTTED else f".{key}")
                yield from _differences(former.get(key), present.get(key), inner)
        case list(), list() if len(former) == len(present):
            for index, (before, after) in enumerate(zip(former, present, strict=True)):
                yield from _differences(before, after, (*path, f"[{index}]"))
        case _ if former != present:
            yield path


def _text(path: Sequence[str]) -> str:
    return "".join(path).removeprefix(".")
