"""Fields that this version accepts and does not act on yet: each that is set is a warning.

When a field begins to have an effect, its line is removed here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from penstock_operator.api.route_rule import Match
from penstock_operator.compile.parse import Resource, ref_of
from penstock_operator.compile.problem import Problem

RULE_LEFT_OUT: Final = "is not evaluated in this version: the whole rule is left out"


@dataclass(frozen=True, slots=True)
class Unenforced:
    """A field below the object, `[]` for each item of a list.

    A value equal to the default needs no warning. `effect` is what happens in its place.
    """

    path: str
    effect: str = "has no effect in this version: remove it, or leave it for a later one"


FIELDS: Final[Mapping[str, tuple[Unenforced, ...]]] = {
    "LLMProvider": (),
    "ModelTier": (),
    "RoutePolicy": (
        Unenforced("spec.rules[].match.cel", RULE_LEFT_OUT),
        Unenforced("spec.attribution"),
    ),
    "Budget": (),
}


def not_yet_enforced(resource: Resource) -> tuple[Problem, ...]:
    """A warning for each field that is set and has no effect."""
    ref = ref_of(resource)
    return tuple(
        Problem(ref, "Enforced", "NotYetEnforced", field.effect, "warning", path)
        for field in FIELDS[resource.kind]
        for path, value, default in _occurrences(resource, field.path.split("."), "")
        if value != default
    )


def has_unenforced_condition(match: Match) -> bool:
    """Whether the match asks for something that sidecars do not look at yet."""
    return match.cel is not None


def _occurrences(owner: BaseModel, steps: list[str], at: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, value, default) of each place where the field occurs."""
    name, rest = steps[0].removesuffix("[]"), steps[1:]
    attribute, info = next(
        (key, info) for key, info in type(owner).model_fields.items() if info.alias == name
    )
    value, path = getattr(owner, attribute), f"{at}.{name}".removeprefix(".")
    if not rest:
        yield path, value, info.get_default(call_default_factory=True)
    elif steps[0].endswith("[]"):
        for index, item in enumerate(value):
            yield from _occurrences(item, rest, f"{path}[{index}]")
    elif isinstance(value, BaseModel):
        yield from _occurrences(value, rest, path)
