"""The verdict on an AdmissionReview (admission.k8s.io/v1), and on an object of ours. Pure."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from penstock_operator.compile.checks import check_object
from penstock_operator.compile.parse import parse_resource
from penstock_operator.compile.problem import Problem
from penstock_operator.webhook.announcement import Announcement

MAX_WARNING_BYTES: Final = 256
"""The API server cuts longer ones, and all of them together at 4096."""
MAX_WARNINGS: Final = 16
Result = Literal["allowed", "warned", "denied", "failed"]
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the object may be stored, how it is changed, and what its author is told."""

    result: Result
    message: str = ""
    warnings: tuple[str, ...] = ()
    patch: tuple[Document, ...] = ()
    """Operations of a JSON patch (RFC 6902)."""
    announcement: Announcement | None = None
    """Told after the answer, and never of a dry run."""
    code: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    """Of a denial: 422 for what is wrong, 403 for what its author may not do."""

    def answer(self, uid: str) -> dict[str, Any]:
        response: dict[str, Any] = {"uid": uid, "allowed": self.result != "denied"}
        if self.message:
            reason = "Forbidden" if self.code == HTTPStatus.FORBIDDEN else "Invalid"
            response["status"] = {
                "code": int(self.code),
                "reason": reason,
                "message": self.message,
            }
        if self.warnings:
            response["warnings"] = list(self.warnings)
        if self.patch:
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(json.dumps(self.patch).encode()).decode()
        return {
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": response,
        }


Judge = Callable[[Document], Verdict]
"""From the `request` of a review to the verdict on it."""


def problems_of(document: Document) -> tuple[Problem, ...]:
    """Everything wrong with one object, errors first."""
    parsed = parse_resource(document)
    if isinstance(parsed, Problem):
        return (parsed,)
    return check_object(parsed, loopback_allowed=False)


def judge(
    request: Document, examine: Callable[[Document], tuple[Problem, ...]] = problems_of
) -> Verdict:
    """The verdict on an object of one of our kinds. Deleting is never refused."""
    document = request.get("object")
    if request.get("operation") == "DELETE" or not isinstance(document, Mapping):
        return Verdict("allowed")
    problems = examine(document)
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
