"""A replica's pod: Ollama, and the loader beside it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.ollama import Ollama
from penstock_operator.ollama.names import (
    LOADER_CONTAINER,
    LOADER_PORT,
    OLLAMA_CONTAINER,
    OLLAMA_PORT,
)
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.ollama.workload import names, probes
from penstock_operator.ollama.workload.environment import HOME, MODELS_DIRECTORY, environment
from penstock_operator.ollama.workload.installation import Document, Found, Installation
from penstock_operator.ollama.workload.models import mount_of
from penstock_operator.ollama.workload.placement import placement
from penstock_operator.ollama.workload.quantity import mebibytes

USER: Final = 65532
MODELS_FILE_DIRECTORY: Final = "/etc/penstock/models"
HOME_BYTES: Final = "2Gi"
"""CUDA keeps there what it compiled, at most 1 GiB."""
GPU_MEMORY_MIB: Final = 1024
"""Of the node, beside the GPU's: buffers. Files that are read are in the page cache, which gives
way."""
CPU_MEMORY_MIB: Final = 512
"""Of a replica on CPU, beside its models."""


def pod_spec(
    provider: LLMProvider,
    group: Group,
    needs: Mapping[str, Need],
    installation: Installation,
    found: Found,
) -> Document:
    """Meets PodSecurity's level `restricted`."""
    ollama = provider.spec.ollama
    assert ollama is not None  # noqa: S101  # there is a group of it
    claims = gguf_claims(ollama, group)
    spec: Document = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _pod_security(),
        "terminationGracePeriodSeconds": provider.spec.timeouts.total_seconds
        + probes.DRAIN_MARGIN_SECONDS,
        "containers": [
            _ollama(ollama, group, needs, installation),
            _loader(installation, claims),
        ],
        "volumes": list(_volumes(ollama, group, claims)),
        **placement(provider.metadata.name, ollama, group, found),
    }
    if installation.images.pull_secrets:
        spec["imagePullSecrets"] = [{"name": each} for each in installation.images.pull_secrets]
    if group.resources and installation.runtime_class:
        spec["runtimeClassName"] = installation.runtime_class
    return spec


def gguf_claims(ollama: Ollama, group: Group) -> list[str]:
    """The volumes that hold weights of the group's models."""
    models = (model for model in ollama.models if model.name in group.models)
    return sorted({model.gguf.claim_name for model in models if model.gguf})


def _ollama(
    ollama: Ollama, group: Group, needs: Mapping[str, Need], installation: Installation
) -> Document:
    images = installation.images
    return {
        "name": OLLAMA_CONTAINER,
        "image": ollama.image or images.ollama,
        "imagePullPolicy": images.ollama_pull_policy,
        "env": environment(ollama, group, needs, installation.environment),
        "ports": [{"name": "ollama", "containerPort": OLLAMA_PORT, "protocol": "TCP"}],
        "resources": _resources(ollama, group, [needs[name] for name in group.models]),
        "securityContext": _container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": names.MODELS_VOLUME, "mountPath": MODELS_DIRECTORY},
            {"name": "home", "mountPath": HOME},
        ],
        "lifecycle": probes.before_the_end(),
        **probes.ollama_probes(own_grace=installation.probes_have_grace),
    }


def _loader(installation: Installation, claims: list[str]) -> Document:
    images = installation.images
    return {
        "name": LOADER_CONTAINER,
        "image": images.loader,
        "imagePullPolicy": images.loader_pull_policy,
        "args": ["loader"],
        "env": [{"name": "PENSTOCK_LOG_LEVEL", "value": installation.log_level}],
        "ports": [{"name": "loader", "containerPort": LOADER_PORT, "protocol": "TCP"}],
        "resources": {
            "requests": {"cpu": "20m", "memory": "64Mi"},
            "limits": {"memory": "256Mi"},
        },
        "securityContext": _container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "orders", "mountPath": MODELS_FILE_DIRECTORY, "readOnly": True},
            {"name": names.MODELS_VOLUME, "mountPath": MODELS_DIRECTORY},
            *(
                {"name": f"gguf-{number}", "mountPath": mount_of(claim), "readOnly": True}
                for number, claim in enumerate(claims)
            ),
        ],
        "lifecycle": probes.before_the_end(),
        **probes.loader_probes(own_grace=installation.probes_have_grace),
    }


def _resources(ollama: Ollama, group: Group, needs: Sequence[Need]) -> Document:
    """Extended resources must be asked for by as much as they are bounded. No bound of memory:
    what a model takes of the node is known by estimate. On CPU of models that take turns the
    largest: which one is loaded changes, and must restart nothing."""
    granted = {name: str(amount) for name, amount in sorted(group.resources.items())}
    if granted:
        return {
            "requests": {"cpu": "500m", "memory": mebibytes(GPU_MEMORY_MIB), **granted},
            "limits": granted,
        }
    together = max if ollama.loading == "OnDemand" else sum
    models = together(need.total_mib() for need in needs)
    return {"requests": {"cpu": "1", "memory": mebibytes(models + CPU_MEMORY_MIB)}}


def _volumes(ollama: Ollama, group: Group, claims: list[str]) -> Iterator[Document]:
    yield {"name": "orders", "configMap": {"name": names.models_map(group.name)}}
    yield {"name": "home", "emptyDir": {"sizeLimit": HOME_BYTES}}
    if ollama.storage is None:
        yield {"name": names.MODELS_VOLUME, "emptyDir": {}}
    else:
        own = {"claimName": names.claim(group.name)}
        yield {"name": names.MODELS_VOLUME, "persistentVolumeClaim": own}
    for number, claim in enumerate(claims):
        theirs = {"claimName": claim, "readOnly": True}
        yield {"name": f"gguf-{number}", "persistentVolumeClaim": theirs}


def _pod_security() -> Document:
    """Ollama's image names no user, which is root; it needs none. The volume is the group's."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def _container_security() -> Document:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
