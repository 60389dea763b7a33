"""The judge of pods that are made: gives them a sidecar, and never refuses one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from penstock_operator.delivery.owner import controller_of
from penstock_operator.injection.injector import Outcome, inject
from penstock_operator.injection.template import Mode, Template
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.announcement import Announcement
from penstock_operator.webhook.review import Verdict

Document = Mapping[str, Any]
Inject = Callable[[Document, str, Template, Mode], Outcome]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A `Judge`. What it raises lets the pod through: see `server`."""

    template: Template
    mode: Callable[[], Mode]
    metrics: Metrics
    inject: Inject = inject

    def __call__(self, request: Document) -> Verdict:
        pod = request.get("object")
        if not pod or not _makes_a_pod(request):
            return Verdict("allowed")
        namespace = request.get("namespace") or ""
        try:
            outcome = self.inject(pod, namespace, self.template, self.mode())
        except Exception:  # heard of by the metric, and by `server`, which logs it
            self.metrics.injections.labels("failed", "Fault").inc()
            raise
        self.metrics.injections.labels(outcome.result, outcome.reason).inc()
        return Verdict(
            "warned" if outcome.warnings else "allowed",
            warnings=outcome.warnings,
            patch=tuple(outcome.patch),
            announcement=_announcement(outcome, pod, namespace),
        )


def _makes_a_pod(request: Document) -> bool:
    """Whatever a configuration's rules send here."""
    kind = (request.get("kind") or {}).get("kind")
    return kind == "Pod" and request.get("operation") == "CREATE" and not request.get("subResource")


def _announcement(outcome: Outcome, pod: Document, namespace: str) -> Announcement | None:
    """For the pod's owner, whose people never see a warning that a controller got."""
    owner = controller_of(pod, namespace)
    match outcome.result:
        case _ if owner is None:
            return None
        case "injected":
            text = "; ".join((outcome.message, *outcome.warnings))
            return Announcement(owner, "Normal", "Injected", text)
        case "refused":
            return Announcement(owner, "Warning", "InjectionSkipped", outcome.message)
        case "completed" | "unchanged" | "skipped":
            return None
