"""Decides on one pod: the patch that gives it a sidecar, or why it gets none."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from penstock_operator.api.names import CONTAINER, INJECT_LABEL, INJECTED_ANNOTATION, VERSION_LABEL
from penstock_operator.injection import names
from penstock_operator.injection.choices import Choices, choices_of
from penstock_operator.injection.environment import changed_variables, missing_variables
from penstock_operator.injection.owner import workload_of
from penstock_operator.injection.patch import Operation, Patch
from penstock_operator.injection.pod import Pod
from penstock_operator.injection.refusals import (
    Case,
    Refusal,
    RefusalReason,
    SkipReason,
    refused_for,
    skipped_for,
)
from penstock_operator.injection.sidecar import container_of, volumes
from penstock_operator.injection.template import Mode, Template

Document = Mapping[str, Any]
Result = Literal["injected", "completed", "unchanged", "refused", "skipped"]
"""`completed`: the sidecar was there, and containers that came after it were told of it."""

FIELDS: Final[Mapping[Mode, str]] = {"native": "initContainers", "container": "containers"}
MODES: Final[Mapping[Mode, str]] = {
    "native": "native sidecar",
    "container": "container, because this cluster has no native sidecars",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to a pod. `message` tells its people; empty where nobody need know."""

    result: Result
    reason: RefusalReason | SkipReason | Literal["Injected"]
    message: str = ""
    warnings: tuple[str, ...] = ()
    """Each shorter than the 256 bytes that an API server passes on."""
    patch: tuple[Operation, ...] = ()


def inject(document: Document, namespace: str, template: Template, mode: Mode) -> Outcome:
    """The outcome for a v1.Pod that is being created in `namespace`."""
    pod = Pod.of(document, namespace)
    if skip := skipped_for(pod, template.protected_namespaces):
        return Outcome("skipped", skip)
    choices = choices_of(pod, template.resources)
    if refusal := refused_for(Case(pod, choices.ports, native=mode == "native")):
        return _refused(pod, refusal)
    patch = Patch(document)
    _tell_apps(patch, pod, choices, mode)
    if pod.is_injected:
        result: Result = "completed" if patch.operations else "unchanged"
        return Outcome(result, "Injected", patch=patch.operations)
    _add_sidecar(patch, pod, template, choices, mode)
    message = f"Sidecar {template.version} added ({MODES[mode]})"
    warnings = (*choices.warnings, *_advice(pod, mode, choices))
    return Outcome("injected", "Injected", message, warnings, patch.operations)


def _refused(pod: Pod, refusal: Refusal) -> Outcome:
    """A sidecar that is there already cannot be taken out again: others may count on it."""
    what = "This pod should have no sidecar" if pod.is_injected else "No sidecar was added"
    message = f"{what}: {refusal.message}"
    return Outcome("refused", refusal.reason, message, (f"Penstock: {message}",))


def _advice(pod: Pod, mode: Mode, choices: Choices) -> Iterator[str]:
    if mode == "container" and pod.restart_policy != "Always":
        url = f"http://localhost:{choices.ports.admin}/quit"
        yield f"Penstock: this pod ends once its container has sent POST {url}"


def _tell_apps(patch: Patch, pod: Pod, choices: Choices, mode: Mode) -> None:
    """Init containers run before a sidecar that is a container, and so without it."""
    there = pod.sidecar.field if pod.is_injected and pod.sidecar else FIELDS[mode]
    init_containers = pod.init_containers if there == FIELDS["native"] else ()
    for each in (*init_containers, *pod.containers):
        env = ("spec", each.field, each.index, "env")
        for index, variable in changed_variables(each):
            patch.put((*env, index), "value", variable.value)
        for variable in missing_variables(each, choices.ports.application):
            patch.append(env, {"name": variable.name, "value": variable.value})


def _add_sidecar(patch: Patch, pod: Pod, template: Template, choices: Choices, mode: Mode) -> None:
    sidecar = container_of(template, choices, workload_of(pod), mode)
    patch.insert_first(("spec", FIELDS[mode]), sidecar)
    for volume in volumes():
        patch.append(("spec", "volumes"), volume)
    labels = {INJECT_LABEL: "true", VERSION_LABEL: template.version}
    for name, value in labels.items():
        patch.put(("metadata", "labels"), name, value)
    for name, value in _annotations(pod, template, mode):
        patch.put(("metadata", "annotations"), name, value)


def _annotations(pod: Pod, template: Template, mode: Mode) -> Iterator[tuple[str, str]]:
    record = {"version": template.version, "mode": mode, "container": CONTAINER}
    yield INJECTED_ANNOTATION, json.dumps(record, separators=(",", ":"))
    if pod.containers and names.DEFAULT_CONTAINER_ANNOTATION not in pod.annotations:
        yield names.DEFAULT_CONTAINER_ANNOTATION, pod.containers[0].name
