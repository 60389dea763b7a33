"""One document into one resource, or into the problem that says what to change in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError, to_json

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.address import URL_PATTERN
from penstock_operator.api.base import USD_PATTERN, Kind
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.problem import ObjectRef, Problem
from penstock_operator.compile.slips import nearest_field

Resource = LLMProvider | ModelTier | RoutePolicy | Budget
API_VERSION: Final = f"{GROUP}/{VERSION}"
KINDS: Final[Mapping[str, type[Resource]]] = {
    type_.kind: type_ for type_ in (LLMProvider, ModelTier, RoutePolicy, Budget)
}


@dataclass(frozen=True, slots=True)
class Clear:
    """Fields that say by themselves what they mean, and what makes a whole object of them."""

    names: frozenset[str]
    added: Mapping[str, object] = field(default_factory=dict)
    severable: tuple[str, ...] = ()
    """Those without any one of which the others still mean what they say."""


CLEAR: Final[Mapping[str, Clear]] = {
    "RoutePolicy": Clear(
        frozenset({"selector", "precedence", "suspended"}), {"defaultTier": {"name": "refused"}}
    ),
    "Budget": Clear(frozenset({"scope", "limits", "perUser"}), severable=("perUser", "limits")),
}
MAX_FAULTS_SHOWN: Final = 5
Place = tuple[int | str, ...]
WORDINGS: Final[Mapping[str, str]] = {
    "extra_forbidden": "is no field here: remove it, or correct its name",
    "missing": "is missing: set it",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "string_type": "must be text: put it in quotes",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a whole number",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "bool_type": "must be true or false, without quotes",
    "datetime_parsing": "must be a time such as 2026-12-31T00:00:00Z",
    "datetime_from_date_parsing": "must be a time such as 2026-12-31T00:00:00Z",
    "timezone_aware": "must be a time with its zone, such as 2026-12-31T00:00:00Z",
    "too_short": "must not have fewer items than {min_length}",
    "too_long": "must not have more items than {max_length}",
    "literal_error": "must be {expected}",
}
"""In the author's words where pydantic's are a programmer's, by its type of error."""
PATTERNS: Final[Mapping[str, str]] = {
    USD_PATTERN: 'must be US dollars such as "2.50", with at most six decimals',
    URL_PATTERN: "must be an address such as https://api.example.com/v1, without user, query or #",
}
"""Where a pattern says less than a sentence."""
PROXY: Final = (
    "must be an address such as http://proxy.example.com:3128, http or https; user and password go"
    " into the Secret that proxySecretRef names"
)
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""The API server sees to names; a file on a laptop does not."""


def ref_of(resource: Kind) -> ObjectRef:
    """The name of a resource, as problems carry it."""
    return ObjectRef(resource.kind, resource.metadata.namespace, resource.metadata.name)


def parse_resource(document: Mapping[str, object]) -> Resource | Problem:
    """An API object or YAML document as its type; server-side fields and `status` are ignored.

    As strict as the API server, which takes no "5" for 5: hence by way of JSON, whose strings may
    still be times and whose lists tuples.
    The problem's text holds paths and rules, never a value of the document.
    """
    type_ = KINDS.get(str(document.get("kind")))
    if type_ is None or document.get("apiVersion") != API_VERSION:
        kinds = ", ".join(KINDS)
        return _refused(document, f"write apiVersion: {API_VERSION} and a kind of {kinds}")
    body = {**document, "metadata": _without_nulls(document.get("metadata"))}
    try:
        found = type_.model_validate_json(to_json(body), strict=True, by_alias=True, by_name=False)
    except ValidationError as error:
        return _refused(document, _faults(error, type_))
    except (PydanticSerializationError, UnicodeEncodeError):
        return _refused(document, "spec: holds what JSON cannot: write plain values")
    if all(map(_NAME.fullmatch, (found.metadata.name, found.metadata.namespace))):
        return found
    return _refused(document, "metadata: name and namespace are of lower case, digits, - and .")


def salvage(document: Mapping[str, object]) -> Resource | None:
    """What must not be lost of an object that does not parse, lest its loss open something.

    Of a policy the pods that it selects, which must not fall to another one; of a budget its
    limits. `None` where these do not parse either, and for what only grants.
    """
    kept = CLEAR.get(str(document.get("kind")))
    spec = document.get("spec")
    if kept is None or not isinstance(spec, Mapping):
        return None
    for severed in ("", *kept.severable):
        clear = {key: value for key, value in spec.items() if key in kept.names - {severed}}
        found = parse_resource({**document, "spec": {**clear, **kept.added}})
        if not isinstance(found, Problem):
            return found
    return None


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


def _faults(error: ValidationError, type_: type[Resource]) -> str:
    """Path and rule of each fault, without the value that pydantic would quote."""
    found = error.errors(include_input=False, include_url=False)
    places = [fault["loc"] for fault in found]
    faults = [
        f"{_path(fault['loc'])}: {_wording(fault, type_)}"
        for fault in found
        if not any(_is_inside(place, fault["loc"]) for place in places)
    ]
    more = len(faults) - MAX_FAULTS_SHOWN
    return "; ".join(faults[:MAX_FAULTS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _is_inside(place: Place, outer: Place) -> bool:
    """A list whose items are faulty is also said to be too short: the items say enough."""
    return len(place) > len(outer) and place[: len(outer)] == outer


def _wording(fault: ErrorDetails, type_: type[Resource]) -> str:
    if fault["type"] == "extra_forbidden" and (meant := nearest_field(type_, fault["loc"])):
        return f"is no field here: {meant} is"
    if fault["loc"][-1] == "proxyURL" and fault["type"] == "string_pattern_mismatch":
        return PROXY
    wording = PATTERNS.get(fault.get("ctx", {}).get("pattern", "")) or WORDINGS.get(fault["type"])
    if wording is None:
        return fault["msg"].removeprefix("Value error, ")
    return wording.format(**fault.get("ctx", {}))


def _path(location: Place) -> str:
    """`("spec", "models", 0, "name")` as `spec.models[0].name`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".") or "document"
