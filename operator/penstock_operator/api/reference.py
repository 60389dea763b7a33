"""How one object names another, and how the other consents."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel, Name
from penstock_operator.api.rules import Rule, sibling

LabelValue = Annotated[str, Field(max_length=63)]
LabelKey = Annotated[str, Field(min_length=1, max_length=317)]


class ObjectReference(ApiModel):
    """An object of the kind that the field says. Another namespace must allow it."""

    name: Name = Field(description="Name of the object.")
    namespace: Name | None = Field(
        None, description="Namespace of the object. Default: that of the object that refers to it."
    )


class SecretKeyReference(ApiModel):
    """One key of a Secret of the same namespace."""

    name: Name = Field(description="Name of the Secret.")
    key: str = Field(
        min_length=1,
        max_length=253,
        pattern=r"^[-._a-zA-Z0-9]+$",
        description="Key in the Secret's data.",
    )


class ConfigMapKeyReference(ApiModel):
    """One key of a ConfigMap of the same namespace."""

    name: Name = Field(description="Name of the ConfigMap.")
    key: str = Field(
        min_length=1,
        max_length=253,
        pattern=r"^[-._a-zA-Z0-9]+$",
        description="Key in the ConfigMap's data.",
    )


class LabelSelectorRequirement(ApiModel):
    """One line of a label selector, as Kubernetes means it."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
            "set values with the operators In and NotIn, and only then",
            lambda line: (line.operator in ("In", "NotIn")) == bool(line.values),
        ),
    )

    key: LabelKey = Field(description="Key of the label.")
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"] = Field(
        description="How the label is compared."
    )
    values: tuple[LabelValue, ...] = Field(
        (), max_length=64, description="Values to compare with; for In and NotIn alone."
    )


class LabelSelector(ApiModel):
    """A label selector, as Kubernetes means it. An empty one selects everything."""

    match_labels: dict[str, LabelValue] = Field(
        default_factory=dict, max_length=64, description="Labels that must have these values."
    )
    match_expressions: tuple[LabelSelectorRequirement, ...] = Field(
        (), max_length=32, description="Further lines, all of which must hold."
    )


class AllowedNamespaces(ApiModel):
    """Which namespaces may refer to this object."""

    invariants: ClassVar[tuple[Rule, ...]] = (sibling("selector", "from", "Selector"),)

    from_: Literal["Same", "All", "Selector"] = Field(
        "Same",
        alias="from",
        description="Same: its own. All: every one. Selector: those whose labels match."
        " Default: Same.",
    )
    selector: LabelSelector | None = Field(
        None, description="Labels of the namespaces; with `from: Selector` only."
    )


class HeaderName(ApiModel):
    """A request header, by name."""

    name: str = Field(
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_|~-]+$",
        description="Name of the header, in any case.",
    )
