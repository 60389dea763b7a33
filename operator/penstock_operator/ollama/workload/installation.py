"""What the workloads' documents are made of beside the provider and its plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from penstock_operator.settings import Settings

Document = dict[str, Any]
"""As for server-side apply: all that is said is ours."""
PullPolicy = Literal["Always", "IfNotPresent", "Never"]


@dataclass(frozen=True, slots=True)
class Images:
    """What the containers run."""

    ollama: str
    """Unless the provider names its own."""
    loader: str
    """The operator's."""
    ollama_pull_policy: PullPolicy = "IfNotPresent"
    loader_pull_policy: PullPolicy = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    """In the provider's namespace."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The same for all providers, and for as long as the operator runs."""

    images: Images
    namespace: str
    """The operator's: who may ask the loaders."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Further variables of Ollama, such as HTTPS_PROXY. Ours win."""
    runtime_class: str = ""
    """Of pods with GPUs; empty: the node's own."""
    network_policies: bool = True
    old_budgets: bool = False
    """Whether the server is older than 1.21: it has `policy/v1beta1` alone."""
    probes_have_grace: bool = True
    """Whether the server is 1.25 or newer: a probe may have a time to end of its own."""
    log_level: str = "info"


def installation_of(
    settings: Settings, release: str, *, old_budgets: bool = False, probes_have_grace: bool = True
) -> Installation:
    """`release`: of the operator that this is, whose image has the loader too."""
    return Installation(
        images=Images(
            ollama=settings.ollama_image,
            loader=settings.loader_image or f"penstock-operator:{release}",
            ollama_pull_policy=settings.ollama_pull_policy,
            loader_pull_policy=settings.loader_pull_policy,
            pull_secrets=settings.ollama_pull_secrets,
        ),
        namespace=settings.namespace,
        environment=settings.ollama_environment,
        runtime_class=settings.ollama_runtime_class,
        network_policies=settings.ollama_network_policies,
        old_budgets=old_budgets,
        probes_have_grace=probes_have_grace,
        log_level=settings.log_level,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """What is there already, by name."""

    hostnames: Mapping[str, str] = field(default_factory=dict)
    """Of a node: its label `kubernetes.io/hostname`, which is not its name everywhere. Without an
    entry it is the name."""
    deployments: Mapping[str, Document] = field(default_factory=dict)
    """What differs from what is wanted in its loader's image alone keeps that: a new release of
    the operator restarts no model."""
    claims: Mapping[str, Document] = field(default_factory=dict)
    """Their class stays, and they never shrink: the API server would refuse it."""
    pausable: frozenset[str] = frozenset()
    """Groups whose last replica may end before the next is ready: see `changes.pausable`."""
