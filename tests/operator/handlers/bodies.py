"""Objects as a watch sends them."""

from typing import Any

Body = dict[str, Any]


def budget(name: str = "money", *, generation: int = 1, **spec: Any) -> Body:
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "Budget",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{name}",
            "generation": generation,
            "resourceVersion": str(generation),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"limits": {"daily": "5"}, **spec},
    }


def meta(kind: str, name: str, namespace: str = "shop", **rest: Any) -> Body:
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1", **rest}
    return {"kind": kind, "metadata": metadata}
