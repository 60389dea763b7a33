"""The sidecar's container and its volumes as Kubernetes takes them (v1.Container, v1.Volume)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock_operator.api.names import CONFIG_MAP, CONTAINER, CREDENTIALS_SECRET
from penstock_operator.injection import names
from penstock_operator.injection.choices import Choices
from penstock_operator.injection.template import Mode, Template

Document = Mapping[str, Any]
PROGRAM: Final = "penstock-sidecar"
ROOT: Final = "/etc/penstock"
JOURNAL_DIRECTORY: Final = "/var/lib/penstock"
JOURNAL_BYTES: Final = "16Mi"
START_SECONDS: Final = 60
"""For reading a configuration on a busy node; then the container is started again."""
QUIET_SECONDS: Final = 3
"""How long no request may be under way before a container in the middle of an app's end lets go:
nothing tells it that the app has ended."""
READABLE: Final = 0o444


def container_of(template: Template, choices: Choices, workload: str, mode: Mode) -> Document:
    """Ready to be an init container (`native`) or a container."""
    document: dict[str, Any] = {
        "name": CONTAINER,
        "image": template.image,
        "imagePullPolicy": template.pull_policy,
        "env": list(_environment(choices, workload)),
        "ports": [{"name": names.PROBE_PORT_NAME, "containerPort": choices.ports.probe}],
        "resources": choices.resources,
        "securityContext": _security_context(),
        "startupProbe": _probe("/readyz", choices, 1, START_SECONDS),
        "readinessProbe": _probe("/readyz", choices, 5, 3),
        "livenessProbe": _probe("/healthz", choices, 10, 6),
        "lifecycle": _lifecycle(mode),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": list(_mounts()),
    }
    return document | {"restartPolicy": "Always"} if mode == "native" else document


def volumes() -> Iterator[Document]:
    """Named for ever, because a pod's volumes cannot change: what is in them may."""
    yield {
        "name": names.CONFIG_VOLUME,
        "configMap": {"name": CONFIG_MAP, "optional": True, "defaultMode": READABLE},
    }
    yield {
        "name": names.CREDENTIALS_VOLUME,
        "secret": {
            "secretName": CREDENTIALS_SECRET,
            "optional": True,
            "defaultMode": READABLE,
        },
    }
    labels = {"path": "labels", "fieldRef": _field_path("metadata.labels")}
    yield {
        "name": names.POD_VOLUME,
        "downwardAPI": {"items": [labels], "defaultMode": READABLE},
    }
    yield {
        "name": names.JOURNAL_VOLUME,
        "emptyDir": {"medium": "Memory", "sizeLimit": JOURNAL_BYTES},
    }


def _mounts() -> Iterator[Document]:
    yield {"name": names.CONFIG_VOLUME, "mountPath": f"{ROOT}/config", "readOnly": True}
    yield {"name": names.CREDENTIALS_VOLUME, "mountPath": f"{ROOT}/credentials", "readOnly": True}
    yield {"name": names.POD_VOLUME, "mountPath": f"{ROOT}/pod", "readOnly": True}
    yield {"name": names.JOURNAL_VOLUME, "mountPath": JOURNAL_DIRECTORY}


def _environment(choices: Choices, workload: str) -> Iterator[Document]:
    yield _from_field("PENSTOCK_NAMESPACE", "metadata.namespace")
    yield _from_field("PENSTOCK_POD_NAME", "metadata.name")
    yield _from_field("PENSTOCK_POD_UID", "metadata.uid")
    values = {
        "PENSTOCK_APP": workload,
        "PENSTOCK_PORT": choices.ports.application,
        "PENSTOCK_PROBE_PORT": choices.ports.probe,
        "PENSTOCK_ADMIN_PORT": choices.ports.admin,
        "PENSTOCK_JOURNAL_DIR": JOURNAL_DIRECTORY,
        "PENSTOCK_DRAIN_SECONDS": choices.drain_seconds,
        "PENSTOCK_LOG_LEVEL": choices.log_level,
    }
    for name, value in values.items():
        yield {"name": name, "value": str(value)}


def _from_field(name: str, path: str) -> Document:
    return {"name": name, "valueFrom": {"fieldRef": _field_path(path)}}


def _field_path(path: str) -> Document:
    return {"apiVersion": "v1", "fieldPath": path}


def _security_context() -> Document:
    """What the PodSecurity level `restricted` asks of a container, and a read-only root."""
    return {
        "runAsNonRoot": True,
        "runAsUser": names.USER,
        "runAsGroup": names.USER,
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _probe(path: str, choices: Choices, period_seconds: int, failures: int) -> Document:
    return {
        "httpGet": {"path": path, "port": choices.ports.probe, "scheme": "HTTP"},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def _lifecycle(mode: Mode) -> Document:
    """Native: the kubelet itself starts apps later, and ends us after them. Else it starts the
    next container once `ready` returns, and `drain` has to guess when the app needs us no more."""
    if mode == "native":
        return {"preStop": _run("drain")}
    return {
        "postStart": _run("ready"),
        "preStop": _run("drain", f"--quiet-seconds={QUIET_SECONDS}"),
    }


def _run(*arguments: str) -> Document:
    return {"exec": {"command": [PROGRAM, *arguments]}}
