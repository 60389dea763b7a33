"""Why a pod gets no sidecar. Each check is named after the fact that it finds.

A pod that is skipped needs none; one that is refused would be harmed by it, or harm it, and its
people are told what to change.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from penstock_operator.api.names import (
    CONTAINER,
    CREDENTIALS_SECRET,
    INJECT_LABEL,
    OVERRIDE_PREFIX,
    STATIC_ANNOTATION,
)
from penstock_operator.injection import names
from penstock_operator.injection.choices import Ports
from penstock_operator.injection.pod import Container, Pod

SkipReason = Literal["OptedOut", "ProtectedNamespace", "StaticPod", "Ended", "Leaving"]
RefusalReason = Literal[
    "NoLinux",
    "HostNetwork",
    "SharesProcesses",
    "NameTaken",
    "VolumeTaken",
    "SameUser",
    "ReadsCredentials",
    "PortTaken",
    "WouldNotEnd",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`message`: what is in the way and what to do, one sentence."""

    reason: RefusalReason
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """What the refusals look at."""

    pod: Pod
    ports: Ports
    native: bool


def skipped_for(pod: Pod, protected_namespaces: frozenset[str]) -> SkipReason | None:
    """Why this pod is none of our business."""
    facts: dict[SkipReason, bool] = {
        "ProtectedNamespace": pod.namespace in protected_namespaces,
        "OptedOut": pod.labels.get(INJECT_LABEL) == "false",
        "StaticPod": STATIC_ANNOTATION in pod.annotations,
        "Ended": pod.has_ended,
        "Leaving": pod.is_leaving,
    }
    return next((reason for reason, holds in facts.items() if holds), None)


def refused_for(case: Case) -> Refusal | None:
    """The first reason not to put a sidecar into this pod."""
    for check in CHECKS:
        if found := check(case):
            return found
    return None


def runs_no_linux(case: Case) -> Refusal | None:
    if not case.pod.is_windows:
        return None
    return Refusal("NoLinux", "the sidecar runs on Linux alone")


def is_on_the_host_network(case: Case) -> Refusal | None:
    if not case.pod.host_network:
        return None
    text = "with hostNetwork its ports would be the node's: take hostNetwork away"
    return Refusal("HostNetwork", text)


def shares_processes(case: Case) -> Refusal | None:
    if not case.pod.shares_processes:
        return None
    text = (
        "with shareProcessNamespace or hostPID other containers could read the sidecar's keys: "
        "take it away"
    )
    return Refusal("SharesProcesses", text)


def has_our_containers_name(case: Case) -> Refusal | None:
    if case.pod.sidecar is None or case.pod.is_injected:
        return None
    return Refusal("NameTaken", f"a container is called {CONTAINER!r}: rename it")


def has_our_volumes_name(case: Case) -> Refusal | None:
    taken = [name for name in names.VOLUMES if name in case.pod.volumes]
    if not taken or case.pod.is_injected:
        return None
    return Refusal("VolumeTaken", f"a volume is called {taken[0]!r}: rename it")


def runs_as_our_user(case: Case) -> Refusal | None:
    for each in _apps(case):
        if each.user == names.USER:
            text = f"container {each.name!r} runs as the sidecar's user {names.USER}: change it"
            return Refusal("SameUser", text)
    return None


def reads_our_credentials(case: Case) -> Refusal | None:
    secret = CREDENTIALS_SECRET
    shown_by = {name for name, secrets in case.pod.volumes.items() if secret in secrets}
    for each in _apps(case):
        if secret in each.secrets or shown_by & each.mounts:
            text = f"container {each.name!r} reads the Secret {secret!r}: only the sidecar may"
            return Refusal("ReadsCredentials", text)
    return None


def listens_on_our_port(case: Case) -> Refusal | None:
    """An app and a sidecar on one port cannot both start: better no sidecar than no app."""
    for each in _apps(case):
        for port in sorted(each.ports & case.ports.numbers):
            text = (
                f"container {each.name!r} has port {port} too: set annotation "
                f"{OVERRIDE_PREFIX}port, probe-port or admin-port"
            )
            return Refusal("PortTaken", text)
    return None


def would_not_end(case: Case) -> Refusal | None:
    """A sidecar that is an ordinary container keeps a Job running until somebody ends it."""
    asked = case.pod.labels.get(INJECT_LABEL) == "true"
    if case.native or case.pod.restart_policy == "Always" or asked:
        return None
    text = (
        "on this cluster it would keep a Job from ending: end it with POST /quit and say so with "
        f"label {INJECT_LABEL}=true"
    )
    return Refusal("WouldNotEnd", text)


def _apps(case: Case) -> tuple[Container, ...]:
    return (*case.pod.init_containers, *case.pod.containers)


CHECKS: Final[tuple[Callable[[Case], Refusal | None], ...]] = (
    runs_no_linux,
    is_on_the_host_network,
    shares_processes,
    has_our_containers_name,
    has_our_volumes_name,
    runs_as_our_user,
    reads_our_credentials,
    listens_on_our_port,
    would_not_end,
)
