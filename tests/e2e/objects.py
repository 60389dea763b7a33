"""The objects that the tests apply: what a platform team and its application teams would write."""

from typing import Any, Final

from tests.e2e.building import Images
from tests.e2e.kubectl import Document

MODELS: Final = "e2e-models"
TEAM_A: Final = "e2e-a"
TEAM_B: Final = "e2e-b"
LATE: Final = "e2e-late"
OURS: Final = "penstock-system"
NAMESPACES: Final = (MODELS, TEAM_A, TEAM_B, LATE)
INJECTION: Final = {"penstock.dev/injection": "enabled"}
PRICE: Final = {"inputPerMillion": "1", "outputPerMillion": "2"}
RESTRICTED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
}


def namespace(name: str) -> Document:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def team(name: str) -> Document:
    """A namespace whose pods get sidecars."""
    return {**namespace(name), "metadata": {"name": name, "labels": INJECTION}}


def secret(name: str, key: str) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": MODELS},
        "stringData": {"api-key": key},
    }


def provider(name: str, secret_name: str, *models: str) -> Document:
    return _custom(
        "LLMProvider",
        MODELS,
        name,
        {
            "type": "openai",
            "baseURL": f"http://provider.{MODELS}.svc.cluster.local:8080/v1",
            "credentials": {"secretRefs": [{"name": secret_name, "key": "api-key"}]},
            "models": [{"name": m, "capabilities": ["chat"], "price": PRICE} for m in models],
        },
    )


def ollama(images: Images, name: str, *models: str, **spec: Any) -> Document:
    """An Ollama that the operator runs. Sizes are said, for nobody knows all of these models."""
    return _custom(
        "LLMProvider",
        MODELS,
        name,
        {
            "type": "ollama",
            "models": [{"name": model, "capabilities": ["chat"]} for model in models],
            "ollama": {
                "image": images.outside,
                "models": [{"name": model, "sizeMiB": 600} for model in models],
                **spec,
            },
        },
    )


def tier(name: str, provider_name: str, model: str) -> Document:
    """For all namespaces."""
    spec = {
        "models": [{"provider": {"name": provider_name}, "model": model}],
        "strategy": "Weighted",
        "allowedNamespaces": {"from": "All"},
    }
    return _custom("ModelTier", MODELS, name, spec)


def policy(namespace_name: str, name: str, tier_name: str, **spec: Any) -> Document:
    """For the pods labelled `app: app`; streams of `slow` and `steady` have tiers of their own."""
    rules = [
        {"name": each, "match": {"models": [each]}, "tier": {"name": each, "namespace": MODELS}}
        for each in ("slow", "steady")
    ]
    whole = {
        "selector": {"matchLabels": {"app": "app"}},
        "defaultTier": {"name": tier_name, "namespace": MODELS},
        "rules": rules,
        **spec,
    }
    return _custom("RoutePolicy", namespace_name, name, whole)


def budget(namespace_name: str, name: str, **spec: Any) -> Document:
    return _custom("Budget", namespace_name, name, {"limits": {"daily": "5"}, **spec})


def pod(images: Images, namespace_name: str, name: str, *command: str, **labels: str) -> Document:
    """An application's pod as people write them, labelled `app: <name>` unless told otherwise."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace_name,
            "labels": {"app": name, **_labels(labels)},
        },
        "spec": _pod_spec(images, command),
    }


def deployment(
    images: Images, namespace_name: str, name: str, *command: str, replicas: int = 1
) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace_name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": _pod_spec(images, command),
            },
        },
    }


def job(
    images: Images, namespace_name: str, name: str, completions: int, *command: str
) -> Document:
    """None of its pods may fail. It says that it will end its sidecars."""
    template = {
        "metadata": {"labels": {"app": "app", **_labels({"inject": "true"})}},
        "spec": {"restartPolicy": "Never", **_pod_spec(images, command)},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace_name},
        "spec": {
            "completions": completions,
            "parallelism": completions,
            "backoffLimit": 0,
            "template": template,
        },
    }


def provider_service() -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "provider", "namespace": MODELS},
        "spec": {"selector": {"app": "provider"}, "ports": [{"port": 8080}]},
    }


def _pod_spec(images: Images, command: tuple[str, ...]) -> dict[str, Any]:
    return {
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "app",
                "image": images.outside,
                "imagePullPolicy": "IfNotPresent",
                "command": ["python", *command],
                "securityContext": RESTRICTED,
                "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],
            }
        ],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }


def _labels(labels: dict[str, str]) -> dict[str, str]:
    """`inject="true"` for `penstock.dev/inject: "true"`."""
    return {f"penstock.dev/{key}" if key == "inject" else key: v for key, v in labels.items()}


def _custom(kind: str, namespace_name: str, name: str, spec: Document) -> Document:
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace_name},
        "spec": spec,
    }


def asked_pod(images: Images, namespace_name: str, **labels: str) -> dict[str, Any]:
    """A pod to change, and to ask the API server about."""
    return dict(pod(images, namespace_name, "asked", "app.py", "idle", "auto", **labels))
