"""Names, labels and owners of what runs a managed provider.

A Service and a NetworkPolicy and a PodDisruptionBudget have the provider's name, which is the only
one of its kind in its namespace. Everything of a group begins with the group's name, which the
planner makes unique.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.names import COMPONENT_LABEL, INJECT_LABEL
from penstock_operator.ollama.names import GROUP_LABEL, MODELS_SUFFIX, PROVIDER_LABEL
from penstock_operator.ollama.workload.installation import Document

MAX_LABEL: Final = 63
_SERVICE: Final = re.compile(rf"[a-z]([-a-z0-9]{{0,{MAX_LABEL - 2}}}[a-z0-9])?")
"""RFC 1035, as servers before 1.34 want a Service's name."""
MODELS_VOLUME: Final = "models"


def unusable_name(provider: LLMProvider) -> str | None:
    """Why nothing can be run under the provider's name; `None` when all is well."""
    if _SERVICE.fullmatch(provider.metadata.name):
        return None
    return (
        "a Service has the provider's name, and the name is none for a Service:"
        f" at most {MAX_LABEL} lower-case letters, digits and dashes, the first a letter;"
        " create another LLMProvider"
    )


def models_map(group: str) -> str:
    """The ConfigMap with a group's `models.json`."""
    return group + MODELS_SUFFIX


def claim(group: str) -> str:
    """The PersistentVolumeClaim of a group."""
    return group + MODELS_SUFFIX


def metadata(provider: LLMProvider, name: str, group: str | None = None) -> Document:
    """With the provider as controller: what is deleted with it needs no other care."""
    meta = provider.metadata
    return {
        "name": name,
        "namespace": meta.namespace,
        "labels": labels(meta.name, group),
        "ownerReferences": [
            {  # without blockOwnerDeletion, which OpenShift asks further rights for
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": LLMProvider.kind,
                "name": meta.name,
                "uid": meta.uid,
                "controller": True,
            }
        ],
    }


def labels(provider: str, group: str | None = None) -> Mapping[str, str]:
    return {
        "app.kubernetes.io/name": "ollama",
        "app.kubernetes.io/instance": provider,
        "app.kubernetes.io/part-of": "penstock",
        "app.kubernetes.io/managed-by": "penstock",
        COMPONENT_LABEL: "ollama",
        **selector(provider, group),
    }


def pod_labels(provider: str, group: str) -> Mapping[str, str]:
    """It gets no sidecar, also where a namespace's pods do."""
    return {**labels(provider, group), INJECT_LABEL: "false"}


def selector(provider: str, group: str | None = None) -> Mapping[str, str]:
    """Never changes: a Deployment's selector cannot."""
    return {PROVIDER_LABEL: provider} | ({GROUP_LABEL: group} if group else {})


def is_ours(provider: LLMProvider, document: Mapping[str, Any]) -> bool:
    """Whether an object that is there was made for the provider: others are left alone, though
    they may have the name that ours would have."""
    owners = document.get("metadata", {}).get("ownerReferences") or ()
    return any(
        owner.get("uid") == provider.metadata.uid and owner.get("controller") for owner in owners
    )
