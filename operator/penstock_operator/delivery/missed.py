"""Pods that ask for a sidecar and have none: who they are, and what is said about them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from penstock_operator.api.names import INJECTION_LABEL
from penstock_operator.delivery.pods import Body, SeenPod, has_sidecar, is_static, seen_pod
from penstock_operator.injection.template import protected_namespaces

ENABLED: Final = "enabled"
REASON: Final = "SidecarMissing"
MESSAGE: Final = (
    "Pod {} asks for a Penstock sidecar and has none: it was made while the injector was away, or"
    " before its namespace was labelled, or the injector skipped it (InjectionSkipped says why)."
    " Delete it, or restart its workload, to have one made with a sidecar. Nothing is restarted"
    " for you."
)


def enabled_namespaces(namespaces: Mapping[str, Mapping[str, str]], own: str) -> Iterator[str]:
    """Those whose pods are injected unless they say no."""
    protected = protected_namespaces(own)
    for name, labels in sorted(namespaces.items()):
        if labels.get(INJECTION_LABEL) == ENABLED and name not in protected:
            yield name


def missed_among(bodies: Iterable[Body]) -> Iterator[SeenPod]:
    """Of pods that did not say no. A static pod was never the injector's to see."""
    for body in bodies:
        if not has_sidecar(body) and not is_static(body):
            pod = seen_pod(body)
            if not pod.leaving:
                yield pod
