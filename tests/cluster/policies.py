"""The CEL of the chart's admission policies, run by the code of a current API server.

No server with such policies is at hand. What is run: each expression, as a rule of a kind whose
objects are shaped like what a policy is given, by the same CEL libraries. What is not: that the API
server calls the policies for the requests that they are about.
"""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.chart.rendering import NONE, Values, named, program, render
from tests.cluster.cel_server import CRDS, Answer, Server, connected

Document = dict[str, Any]


def policy(values: Values, name: str) -> Document:
    """What the chart says of one of its policies."""
    if program() is None:
        pytest.skip(NONE)
    found: Document = named(render(values), "ValidatingAdmissionPolicy", name)["spec"]
    return found


def expressions(spec: Document) -> Iterator[tuple[str, str]]:
    """Of each rule its CEL, with the policy's variables written out, and its message."""
    for each in spec["validations"]:
        text = each["expression"]
        for variable in spec["variables"]:
            text = text.replace(f"variables.{variable['name']}", f"({variable['expression']})")
        yield text, each["message"]


def of(**properties: Any) -> Document:
    return {"type": "object", "properties": properties}


def listed(items: Document, most: int = 16) -> Document:
    return {"type": "array", "maxItems": most, "items": items}


def ruled(schema: Document, rules: Iterator[Document]) -> Document:
    """The same, where an object must follow the rules."""
    return schema | {"x-kubernetes-validations": [*rules]}


@contextmanager
def installed(kubeconfig: Path, spec: Document) -> Iterator[str]:
    """The group of a kind whose `spec` has that schema."""
    group = f"t{uuid.uuid4().hex[:8]}.policies.penstock.dev"

    async def install() -> None:
        async with asyncio.timeout(60), connected(kubeconfig, group) as server:
            status, answer = await server.call("POST", CRDS, _definition(group, spec))
            assert status == HTTPStatus.CREATED, answer["message"]
            while (await server.call("GET", server.path("writes")))[0] != HTTPStatus.OK:
                pass

    async def remove() -> None:
        async with connected(kubeconfig, group) as server:
            await server.call("DELETE", f"{CRDS}/writes.{group}")

    asyncio.run(install())
    yield group
    asyncio.run(remove())


async def made(server: Server, spec: Mapping[str, Any]) -> Answer:
    """What the server says of such an object."""
    document = {
        "apiVersion": f"{server.group}/v1alpha1",
        "kind": "Write",
        "metadata": {"name": f"c{uuid.uuid4().hex[:8]}"},
        "spec": spec,
    }
    return await server.call("POST", server.path("writes"), document)


def refusals(answer: Answer) -> list[str]:
    """What the rules said against it."""
    status, said = answer
    if status in {HTTPStatus.OK, HTTPStatus.CREATED}:
        return []
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY, said
    return [cause["message"] for cause in said["details"]["causes"]]


def _definition(group: str, spec: Document) -> Document:
    names = {"kind": "Write", "listKind": "WriteList", "plural": "writes", "singular": "write"}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": of(spec=spec)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"writes.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
