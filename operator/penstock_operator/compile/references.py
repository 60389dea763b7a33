"""Names to objects: what is missing, refused, or has not consented is `Unresolved`.

A reference into another namespace needs the consent of the object there
(`spec.allowedNamespaces`), at every step: policy to tier, tier to tier, tier to provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from penstock_config.policy import Selector
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.reference import AllowedNamespaces, ObjectReference
from penstock_operator.compile.labels import NAME_LABEL, keys_of, selector_of, selects
from penstock_operator.compile.problem import ObjectRef, Problem, Reason
from penstock_operator.compile.snapshot import Snapshot

Referable = TypeVar("Referable", LLMProvider, ModelTier)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Why a reference leads nowhere, and what to change."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What may be referred to, by id."""

    providers: Mapping[str, LLMProvider]
    tiers: Mapping[str, ModelTier]
    refused: Mapping[ObjectRef, Problem]
    """Objects that exist and did not parse, with the reason."""
    namespaces: Mapping[str, Mapping[str, str]]
    """Labels of each."""


def catalogue_of(snapshot: Snapshot) -> Catalogue:
    """Everything in the snapshot that a reference can name."""
    return Catalogue(
        providers={provider.id: provider for provider in snapshot.providers},
        tiers={tier.id: tier for tier in snapshot.tiers},
        refused={p.object: p for p in snapshot.unparsable if p.severity == "error"},
        namespaces=snapshot.namespaces,
    )


def reference_id(ref: ObjectReference, namespace: str) -> str:
    """`<namespace>/<name>` of what an object in `namespace` refers to."""
    return f"{ref.namespace or namespace}/{ref.name}"


def find_provider(
    ref: ObjectReference, namespace: str, catalogue: Catalogue
) -> LLMProvider | Unresolved:
    """The provider that an object in `namespace` may use under this name."""
    found = catalogue.providers.get(reference_id(ref, namespace))
    return _permitted(found, LLMProvider.kind, ref, namespace, catalogue)


def find_tier(ref: ObjectReference, namespace: str, catalogue: Catalogue) -> ModelTier | Unresolved:
    """The tier that an object in `namespace` may use under this name."""
    found = catalogue.tiers.get(reference_id(ref, namespace))
    return _permitted(found, ModelTier.kind, ref, namespace, catalogue)


def _permitted(
    found: Referable | None,
    kind: str,
    ref: ObjectReference,
    namespace: str,
    catalogue: Catalogue,
) -> Referable | Unresolved:
    target = ObjectRef(kind, ref.namespace or namespace, ref.name)
    if found is None and target in catalogue.refused:
        return Unresolved("RefInvalid", f"{target} is refused (see its condition Accepted)")
    if found is None:
        return Unresolved("RefNotFound", f"there is no {target}: create it, or correct the name")
    if _consents(found.spec.allowed_namespaces, target.namespace, namespace, catalogue):
        return found
    return Unresolved(
        "RefNotPermitted",
        f"{target} does not allow namespace {namespace}: have it added to spec.allowedNamespaces"
        " there",
    )


def _consents(allowed: AllowedNamespaces, owner: str, namespace: str, catalogue: Catalogue) -> bool:
    if namespace == owner:
        return True
    match allowed.from_:
        case "Same":
            return False
        case "All":
            return True
        case "Selector":
            return allowed.selector is not None and _is_selected(
                selector_of(allowed.selector), namespace, catalogue
            )


def _is_selected(selector: Selector, namespace: str, catalogue: Catalogue) -> bool:
    """Of a namespace whose labels nobody told, a line such as `NotIn` would hold, and open."""
    labels = catalogue.namespaces.get(namespace)
    if labels is None:
        return keys_of(selector) <= {NAME_LABEL} and selects(selector, {NAME_LABEL: namespace})
    return selects(selector, labels)
