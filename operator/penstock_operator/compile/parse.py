"""One document into one resource, or into the problem that says what to change in it."""

import re
from collections.abc import Mapping
from typing import Final

from pydantic import ValidationError

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.base import Kind
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.problem import ObjectRef, Problem

Resource = LLMProvider | ModelTier | RoutePolicy | Budget
API_VERSION: Final = f"{GROUP}/{VERSION}"
KINDS: Final[Mapping[str, type[Resource]]] = {
    type_.kind: type_ for type_ in (LLMProvider, ModelTier, RoutePolicy, Budget)
}
MAX_FAULTS_SHOWN: Final = 5
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""The API server sees to names; a file on a laptop does not."""


def ref_of(resource: Kind) -> ObjectRef:
    """The name of a resource, as problems carry it."""
    return ObjectRef(resource.kind, resource.metadata.namespace, resource.metadata.name)


def parse_resource(document: Mapping[str, object]) -> Resource | Problem:
    """An API object or YAML document as its type; server-side fields and `status` are ignored.

    The problem's text holds paths and rules, never a value of the document.
    """
    type_ = KINDS.get(str(document.get("kind")))
    if type_ is None or document.get("apiVersion") != API_VERSION:
        kinds = ", ".join(KINDS)
        return _refused(document, f"write apiVersion: {API_VERSION} and a kind of {kinds}")
    body = {**document, "metadata": _without_nulls(document.get("metadata"))}
    try:
        found = type_.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        return _refused(document, _faults(error))
    if all(map(_NAME.fullmatch, (found.metadata.name, found.metadata.namespace))):
        return found
    return _refused(document, "metadata: name and namespace are of lower case, digits, - and .")


def _refused(document: Mapping[str, object], message: str) -> Problem:
    metadata = _without_nulls(document.get("metadata"))
    named = metadata if isinstance(metadata, Mapping) else {}
    ref = ObjectRef(
        str(document.get("kind") or "Unknown"),
        str(named.get("namespace", "default")),
        str(named.get("name", "unnamed")),
    )
    return Problem(ref, "Accepted", "InvalidSpec", message)


def _without_nulls(metadata: object) -> object:
    """Tools write `creationTimestamp: null`; to the API server that is absent."""
    if not isinstance(metadata, Mapping):
        return metadata
    return {key: value for key, value in metadata.items() if value is not None}


def _faults(error: ValidationError) -> str:
    """Path and rule of each fault, without pydantic's `input_value`."""
    faults = [
        f"{_path(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    more = len(faults) - MAX_FAULTS_SHOWN
    return "; ".join(faults[:MAX_FAULTS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _path(location: tuple[int | str, ...]) -> str:
    """`("spec", "models", 0, "name")` as `spec.models[0].name`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".") or "document"
