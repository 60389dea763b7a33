"""Rules over several fields of an object, each said once and checked twice.

The API server runs `cel` (old ones drop it, and local mode has none); parsing runs `holds`. The
cases in `tests/cluster/cel/` prove that both say the same. Field names are the outside ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that an object must meet. `message` says what to change."""

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    """`None`: the API server alone can know (a transition), or `compile` decides (by mode)."""


def given(value: BaseModel, field: str) -> Any:
    """The value of a field by its outside name."""
    return getattr(value, _attribute(value, field))


def _attribute(value: BaseModel, field: str) -> str:
    fields = type(value).model_fields
    return next(name for name, info in fields.items() if info.alias == field)


def _said(value: BaseModel, field: str) -> Any:
    """As `given`, but `None` where the value is a default: that is what the API server sees."""
    name = _attribute(value, field)
    return getattr(value, name) if name in value.model_fields_set else None


def _count(value: BaseModel, fields: tuple[str, ...]) -> int:
    return sum(given(value, field) not in (None, ()) for field in fields)


def exactly_one(*fields: str) -> Rule:
    """One of the fields is set, and only one."""
    return Rule(
        f"[{', '.join(f'has(self.{field})' for field in fields)}].filter(x, x).size() == 1",
        f"set exactly one of {', '.join(fields)}",
        lambda value: _count(value, fields) == 1,
    )


def at_most_one(*fields: str) -> Rule:
    """No two of the fields are set."""
    return Rule(
        f"[{', '.join(f'has(self.{field})' for field in fields)}].filter(x, x).size() <= 1",
        f"set only one of {', '.join(fields)}",
        lambda value: _count(value, fields) <= 1,
    )


def at_least_one(*fields: str) -> Rule:
    """Some of the fields are set."""
    return Rule(
        " || ".join(f"has(self.{field})" for field in fields),
        f"set at least one of {', '.join(fields)}",
        lambda value: _count(value, fields) >= 1,
    )


def sibling(field: str, choice: str, value: str) -> Rule:
    """`field` holds the parameters of the choice `value`: it is there with it, and only then."""
    return Rule(
        f"(has(self.{choice}) && self.{choice} == '{value}') == has(self.{field})",
        f"set {field} with {choice} {value}, and only then",
        lambda self: (given(self, choice) == value) == (given(self, field) is not None),
    )


def ordered(low: str, high: str) -> Rule:
    """Where both are set, `low` is not above `high`."""

    def holds(value: BaseModel) -> bool:
        bounds = _said(value, low), _said(value, high)
        return None in bounds or bounds[0] <= bounds[1]

    return Rule(
        f"!has(self.{low}) || !has(self.{high}) || self.{low} <= self.{high}",
        f"{low} must not be larger than {high}",
        holds,
    )


def distinct(field: str) -> Rule:
    """No two items of the list `field` are equal. For plain values and keys, see `lists`."""
    return Rule(
        f"!has(self.{field}) || self.{field}.all(a, self.{field}.exists_one(b, a == b))",
        f"an entry of {field} is there twice: remove one",
        lambda value: len(set(given(value, field))) == len(given(value, field)),
    )
