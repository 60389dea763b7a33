"""One AdmissionReview (admission.k8s.io/v1) in, its answer out. Pure.

Whatever goes wrong on our side, the object is let through with a warning: an exception would be a
denial even under `failurePolicy: Ignore`.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from penstock_operator.compile.checks import check_object
from penstock_operator.compile.parse import parse_resource
from penstock_operator.compile.problem import Problem

MAX_WARNING_BYTES: Final = 256
"""The API server cuts longer ones, and all of them together at 4096."""
MAX_WARNINGS: Final = 16
Result = Literal["allowed", "warned", "denied", "failed"]
Document = Mapping[str, Any]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the object may be stored, and what its author is told."""

    result: Result
    message: str = ""
    warnings: tuple[str, ...] = ()

    def answer(self, uid: str) -> dict[str, Any]:
        response: dict[str, Any] = {"uid": uid, "allowed": self.result != "denied"}
        if self.message:
            response["status"] = {"code": 422, "reason": "Invalid", "message": self.message}
        if self.warnings:
            response["warnings"] = list(self.warnings)
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        }


def problems_of(document: Document) -> tuple[Problem, ...]:
    """Everything wrong with one object, errors first."""
    parsed = parse_resource(document)
    if isinstance(parsed, Problem):
        return (parsed,)
    return check_object(parsed, loopback_allowed=False)


def judge(
    request: Document, examine: Callable[[Document], tuple[Problem, ...]] = problems_of
) -> Verdict:
    """The verdict on `request` of a review. Deleting is never refused."""
    document = request.get("object")
    if request.get("operation") == "DELETE" or not isinstance(document, Mapping):
        return Verdict("allowed")
    try:
        problems = examine(document)
    except Exception:  # heard of by the log, the metric and the author's warning
        logger.exception("admission.failed", extra={"kind": str(document.get("kind"))})
        text = "Penstock could not check this object because of a fault of its own; see its log."
        return Verdict("failed", warnings=(text,))
    errors = [problem.text for problem in problems if problem.severity == "error"]
    if errors and not _is_old_news(request, document):
        return Verdict("denied", "; ".join(errors))
    warnings = tuple(_shortened(problem.text) for problem in problems)[:MAX_WARNINGS]
    return Verdict("warned" if warnings else "allowed", warnings=warnings)


def _is_old_news(request: Document, document: Document) -> bool:
    """Whether this update brings in no fault: the spec stays, or the object is going away.

    Else nobody could label an object that came past us, nor take off a finalizer: its deletion,
    and its namespace's, would wait for ever.
    """
    former = request.get("oldObject")
    if request.get("operation") != "UPDATE" or not isinstance(former, Mapping):
        return False
    metadata = document.get("metadata")
    leaving = isinstance(metadata, Mapping) and metadata.get("deletionTimestamp") is not None
    return leaving or former.get("spec") == document.get("spec")


def _shortened(text: str) -> str:
    data = text.encode()
    if len(data) <= MAX_WARNING_BYTES:
        return text
    return data[: MAX_WARNING_BYTES - 3].decode(errors="ignore") + "…"
