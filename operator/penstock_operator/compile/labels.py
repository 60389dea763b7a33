"""Label selectors: into the contract's form, and what they select."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_config.policy import Requirement, Selector
from penstock_operator.api.reference import LabelSelector

NAME_LABEL: Final = "kubernetes.io/metadata.name"
"""Of every namespace; servers before 1.22 do not set it."""


def selector_of(selector: LabelSelector | None) -> Selector:
    """The selector as sidecars read it; none given selects everything."""
    if selector is None:
        return Selector()
    return Selector(
        match_labels=dict(sorted(selector.match_labels.items())),
        match_expressions=tuple(
            Requirement(key=line.key, operator=line.operator, values=tuple(sorted(line.values)))
            for line in selector.match_expressions
        ),
    )


def selects(selector: Selector, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy every line, as Kubernetes means it: an absent key is `NotIn`."""
    exact = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return exact and all(_holds(line, labels) for line in selector.match_expressions)


def keys_of(selector: Selector) -> frozenset[str]:
    """The labels that the selector looks at."""
    lines = {line.key for line in selector.match_expressions}
    return frozenset(lines | set(selector.match_labels))


def may_meet(one: Selector, other: Selector) -> bool:
    """Whether there are labels that satisfy both."""
    lines = [*_lines(one), *_lines(other)]
    keys = {line.key for line in lines}
    return all(_possible([line for line in lines if line.key == key]) for key in keys)


def _possible(lines: list[Requirement]) -> bool:
    """Lines for one key: some value that they name passes all of them, or any other, or none."""
    named = {value for line in lines for value in line.values}
    unnamed = "".join(named) + "+"
    choices = [{}, *({lines[0].key: value} for value in (*named, unnamed))]
    return any(all(_holds(line, labels) for line in lines) for labels in choices)


def _lines(selector: Selector) -> Iterator[Requirement]:
    for key, value in selector.match_labels.items():
        yield Requirement(key=key, operator="In", values=(value,))
    yield from selector.match_expressions


def _holds(line: Requirement, labels: Mapping[str, str]) -> bool:
    match line.operator:
        case "In":
            return labels.get(line.key) in line.values
        case "NotIn":
            return labels.get(line.key) not in line.values
        case "Exists":
            return line.key in labels
        case "DoesNotExist":
            return line.key not in labels
