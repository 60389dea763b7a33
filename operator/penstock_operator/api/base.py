"""What every custom resource type shares: names outside are camelCase, objects closed and frozen.

No unions (structural schemas have none): a choice with parameters is an enum and a sibling object
named after the value, tied by a CEL rule. Defaults live here, not in the CRD's schema, so that a
stored object keeps saying what its author said.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from penstock_operator.api.rules import Rule

Name = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
]
"""A Kubernetes object's name."""
USD_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?$"
UsdAmount = Annotated[str, Field(max_length=24, pattern=USD_PATTERN)]
"""Money in US dollars, as a decimal string: never a float."""
Fraction = Annotated[str, Field(max_length=6, pattern=r"^(0(\.[0-9]{1,4})?|1(\.0{1,4})?)$")]
"""A share, "0" to "1", as a decimal string."""


class ApiModel(BaseModel):
    """A type inside a custom resource: camelCase outside, closed, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )
    invariants: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.invariants:
            if rule.holds is not None and not rule.holds(self):
                raise ValueError(rule.message)
        return self


class ObjectMeta(BaseModel):
    """The part of `metadata` that decisions look at; the rest is the API server's."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    creation_timestamp: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    labels: dict[str, str] = Field(default_factory=dict)


class Kind(BaseModel):
    """A custom resource, with the names the API server needs. `status` is not read back here."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    kind: ClassVar[str]
    plural: ClassVar[str]
    short_names: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = ()
    """Printer columns: (name, OpenAPI type, JSONPath, priority)."""
    status_type: ClassVar[type[BaseModel]]
    """For the schema alone."""

    metadata: ObjectMeta

    @property
    def id(self) -> str:
        """`<namespace>/<name>`."""
        return f"{self.metadata.namespace}/{self.metadata.name}"
