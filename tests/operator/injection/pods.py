"""Pods for tests, and what a server does with a patch (RFC 6902, `add` alone)."""

import copy
from typing import Any, Final

from penstock_operator.injection.injector import Outcome, inject
from penstock_operator.injection.template import Mode, Template
from penstock_operator.settings import Settings

TEMPLATE: Final = Template.of(Settings(), "1.2.3")
MODES: Final[tuple[Mode, ...]] = ("native", "container")


def pod(*containers: dict[str, Any], meta: dict[str, Any] | None = None, **spec: Any) -> Any:
    """A pod as a controller asks for it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "shop-", **(meta or {})},
        "spec": {"containers": list(containers or [app()]), **spec},
    }


def app(name: str = "app", **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": "shop:1", **fields}


def injected(document: Any, mode: Mode = "native", namespace: str = "team") -> Any:
    """The pod after the patch; the pod given stays as it was."""
    outcome = outcome_of(document, mode, namespace)
    assert outcome.result in {"injected", "completed", "unchanged"}, outcome
    return patched(document, outcome.patch)


def outcome_of(document: Any, mode: Mode = "native", namespace: str = "team") -> Outcome:
    return inject(document, namespace, TEMPLATE, mode)


def patched(document: Any, operations: Any) -> Any:
    """A copy of the document with the operations applied."""
    result = copy.deepcopy(document)
    for operation in operations:
        assert operation["op"] == "add"
        *parents, last = operation["path"].removeprefix("/").split("/")
        _add(_found(result, parents), _unescaped(last), copy.deepcopy(operation["value"]))
    return result


def sidecar_of(document: Any) -> dict[str, Any]:
    spec = document["spec"]
    (found,) = [
        each
        for each in (*(spec.get("initContainers") or ()), *spec["containers"])
        if each["name"] == "penstock"
    ]
    assert isinstance(found, dict)
    return found


def env_of(container: dict[str, Any]) -> dict[str, str | None]:
    """Values by name; `None` for one from elsewhere."""
    return {
        each["name"]: None if "valueFrom" in each else each.get("value", "")
        for each in container.get("env") or ()
    }


def _found(document: Any, parents: list[str]) -> Any:
    for step in parents:
        key = _unescaped(step)
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def _add(parent: Any, key: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent[key] = value
    else:
        parent.insert(len(parent) if key == "-" else int(key), value)


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
