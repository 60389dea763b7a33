"""The chart as the real Helm renders it."""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "penstock"
BESIDE: Final = ROOT.parent / "shared" / "tools" / "helm"
NONE: Final = "no helm: put Helm 3 or 4 on PATH (https://helm.sh/docs/intro/install)"
OWN: Final = "penstock-system"
NEWEST: Final = "1.37.0"
OLDEST: Final = "1.29.0"
"""What manifests are checked for."""
BEFORE_ALL: Final = "1.20.2"
"""What the chart's `kubeVersion` allows."""
APIS: Final = ("monitoring.coreos.com/v1", "cert-manager.io/v1")
Document = dict[str, Any]
Values = Mapping[str, Any]

SWITCHED: Final[Mapping[str, Values]] = {
    "namespaced": {"watchNamespaces": ["team-a", "team-b"], "providerNamespaces": ["team-a"]},
    "providers": {"providerNamespaces": ["platform", "models"]},
    "no-nudge": {"nudge": {"enabled": False}},
    "guard-webhook": {"nudge": {"guard": "webhook"}},
    "guard-none": {"nudge": {"guard": "none"}},
    "no-injector": {"injector": {"enabled": False}},
    "strict-injector": {
        "injector": {"failurePolicy": "Fail", "nativeSidecars": "never", "timeoutSeconds": 10}
    },
    "cert-manager": {"injector": {"certManager": {"enabled": True}}},
    "issuer": {
        "injector": {
            "certManager": {"enabled": True, "issuerRef": {"name": "ours", "kind": "ClusterIssuer"}}
        }
    },
    "no-redis": {"redis": {"enabled": False}},
    "redis-elsewhere": {
        "redis": {"enabled": False},
        "externalRedis": {
            "url": "rediss+sentinel://a:26379,b:26379/main",
            "manageUsers": True,
            "existingSecret": "redis-login",
            "usernameKey": "user",
            "sentinelUsernameKey": "sentinel-user",
            "sentinelPasswordKey": "sentinel-password",
            "caSecret": "redis-ca",
        },
    },
    "redis-in-memory": {
        "redis": {
            "persistence": {"enabled": False},
            "existingSecret": "mine",
            "extraArgs": ["--io-threads", "2"],
        }
    },
    "redis-disk": {"redis": {"persistence": {"storageClassName": "fast", "size": "8Gi"}}},
    "warming": {"warming": {"configMaps": ["prompts.morning", "faq"]}},
    "models": {
        "ollama": {
            "namespaces": ["models", "platform"],
            "image": {
                "repository": "registry.example.com/ollama",
                "tag": "1",
                "pullPolicy": "Always",
            },
            "pullSecrets": ["registry"],
            "environment": {"HTTPS_PROXY": "http://proxy:3128"},
            "runtimeClassName": "nvidia",
        },
    },
    "models-namespaced": {
        "watchNamespaces": ["models"],
        "ollama": {"namespaces": ["models"]},
        "networkPolicies": {"enabled": False},
    },
    "embedder": {
        "embedder": {"enabled": True},
        "networkPolicies": {
            "metricsFrom": [{"namespaceSelector": {"matchLabels": {"team": "monitoring"}}}]
        },
    },
    "embedder-scaled": {
        "cluster": "prod.eu",
        "embedder": {
            "enabled": True,
            "existingSecret": "mine",
            "model": "/models/ours",
            "backend": "torch",
            "workers": 2,
            "maxIndexMiB": 256,
            "autoscaling": {"enabled": True, "minReplicas": 3},
        },
        "images": {"embedder": {"tag": "9.9.9", "pullPolicy": "Always"}},
        "redis": {"enabled": False},
        "externalRedis": {
            "url": "rediss+sentinel://a:26379,b:26379/main",
            "manageUsers": True,
            "existingSecret": "redis-login",
            "sentinelPasswordKey": "sentinel-password",
            "caSecret": "redis-ca",
        },
    },
    "embedder-shared-login": {
        "embedder": {"enabled": True},
        "redis": {"enabled": False},
        "externalRedis": {
            "url": "redis+cluster://a:6379,b:6379",
            "existingSecret": "redis-login",
            "usernameKey": "user",
        },
    },
    "agent": {"agent": {"enabled": True}},
    "agent-with-class": {
        "agent": {"enabled": True, "runtimeClassName": "nvidia", "periodSeconds": 2.5},
        "images": {"operator": {"pullPolicy": "Always"}},
    },
    "monitoring": {
        "embedder": {"enabled": True},
        "agent": {"enabled": True},
        "monitoring": {
            "podMonitors": {"enabled": True, "labels": {"release": "prometheus"}},
            "rules": {"enabled": True, "labels": {"release": "prometheus"}},
        },
    },
    "bare": {
        "podDisruptionBudgets": {"enabled": False},
        "networkPolicies": {"enabled": False},
    },
    "images": {
        "images": {
            "registry": "registry.example.com/platform/",
            "pullSecrets": ["login"],
            "operator": {"digest": "sha256:" + "0" * 64},
            "sidecar": {"tag": "9.9.9", "pullPolicy": "Always"},
        }
    },
    "placed": {
        part: {
            "priorityClassName": "system-cluster-critical",
            "nodeSelector": {"disk": "fast"},
            "tolerations": [{"key": "infra", "operator": "Exists"}],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "infra", "operator": "Exists"}]}
                        ]
                    }
                }
            },
            **({"enabled": True} if part in {"agent", "embedder"} else {}),
            **(
                {}
                if part == "redis"
                else {
                    "podAnnotations": {"team": "platform"},
                    "podLabels": {"team": "platform"},
                    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
                }
            ),
        }
        for part in ("operator", "injector", "redis", "embedder", "agent")
    },
}
"""Every value that switches something, at least once away from its default."""
VARIANTS: Final[Mapping[str, Values]] = {
    "default": {},
    **{name: {**values, "crds": {"enabled": False}} for name, values in SWITCHED.items()},
}
"""The definitions are long, and the same for all."""


def program() -> str | None:
    """Helm on PATH, else the one beside the repository."""
    return shutil.which("helm") or (str(BESIDE) if BESIDE.exists() else None)


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Any call of Helm."""
    helm = program()
    assert helm, NONE
    return subprocess.run(
        [helm, *arguments],
        env={**os.environ, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def template(
    values: Values, server: str = NEWEST, release: str = "penstock"
) -> subprocess.CompletedProcess[str]:
    """`helm template` for a server of that version, which has all APIs of `APIS`."""
    apis = (each for api in APIS for each in ("--api-versions", api))
    where = ("--namespace", OWN, "--kube-version", server, "--values", "-")
    return run("template", release, str(CHART), *where, *apis, stdin=json.dumps(values))


@cache
def _text(values: str, server: str) -> str:
    done = template(json.loads(values), server)
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def _documents(values: str, server: str) -> list[Document]:
    return [found for found in yaml.safe_load_all(_text(values, server)) if found]


def text_of(values: Values, server: str = NEWEST) -> str:
    """What Helm prints; of several calls alike, what it printed at the first."""
    return _text(json.dumps(values, sort_keys=True), server)


def render(values: Values, server: str = NEWEST) -> list[Document]:
    """Everything that the chart makes of the values."""
    return copy.deepcopy(_documents(json.dumps(values, sort_keys=True), server))


def of_kind(documents: list[Document], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: list[Document], kind: str, name: str) -> Document:
    """The one object of that kind and name."""
    (found,) = (each for each in of_kind(documents, kind) if each["metadata"]["name"] == name)
    return found


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    """Name and pod (`metadata`, `spec`) of everything that runs."""
    for document in of_kind(documents, "DaemonSet", "Deployment", "StatefulSet"):
        yield document["metadata"]["name"], document["spec"]["template"]
    for document in of_kind(documents, "Pod"):
        yield document["metadata"]["name"], document


def containers(pod: Document) -> list[Document]:
    spec = pod["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]
