"""Who reaches a provider's replicas: sidecars their Ollama, the operator their loaders.

Ollama asks nobody for a password: whoever reaches it may delete its models.
"""

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.names import COMPONENT_LABEL, INJECT_LABEL
from penstock_operator.ollama.names import LOADER_PORT, OLLAMA_PORT
from penstock_operator.ollama.workload import names
from penstock_operator.ollama.workload.installation import Document


def service(provider: LLMProvider) -> Document:
    """In front of all ready replicas; sidecars without Redis know no other way."""
    port = {"name": "ollama", "port": OLLAMA_PORT, "targetPort": OLLAMA_PORT, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": names.metadata(provider, provider.metadata.name),
        "spec": {
            "type": "ClusterIP",
            "selector": dict(names.selector(provider.metadata.name)),
            "ports": [port],
        },
    }


def network_policy(provider: LLMProvider, operator_namespace: str) -> Document:
    """Kubelets' probes come from the pods' own nodes, which are always let in."""
    sidecars = {
        "namespaceSelector": {},
        "podSelector": {"matchLabels": {INJECT_LABEL: "true"}},
    }
    operator = {
        "namespaceSelector": {
            "matchLabels": {"kubernetes.io/metadata.name": operator_namespace},
        },
        "podSelector": {
            "matchLabels": {"app.kubernetes.io/name": "penstock", COMPONENT_LABEL: "operator"}
        },
    }
    ollama, loader = ({"port": port, "protocol": "TCP"} for port in (OLLAMA_PORT, LOADER_PORT))
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": names.metadata(provider, provider.metadata.name),
        "spec": {
            "podSelector": {"matchLabels": dict(names.selector(provider.metadata.name))},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [sidecars], "ports": [ollama]},
                {"from": [operator], "ports": [ollama, loader]},
            ],
        },
    }


def disruption_budget(provider: LLMProvider, *, old: bool) -> Document:
    """While a node is drained, one replica stays. `old`: a server before 1.21."""
    return {
        "apiVersion": "policy/v1beta1" if old else "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": names.metadata(provider, provider.metadata.name),
        "spec": {
            "minAvailable": 1,
            "selector": {"matchLabels": dict(names.selector(provider.metadata.name))},
        },
    }
