"""Sizes of files that others have published, beside what we reckon with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from penstock_operator.api.ollama import OllamaModel
from penstock_operator.ollama.memory.estimate import need_of
from penstock_operator.ollama.memory.known import KnownModel, Published
from penstock_operator.ollama.planner.types import Need

MEGABYTE: Final = 10**6
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A model that is not in the table, as its card says."""

    name: str
    parameter_count: Annotated[str, Field(alias="parameterCount")]
    quantisation: str
    megabytes: float
    source: str


def unlisted() -> tuple[Unlisted, ...]:
    text = Path(__file__).with_name("unlisted.json").read_bytes()
    return TypeAdapter(tuple[Unlisted, ...]).validate_json(text)


def by_table(row: KnownModel, published: Published) -> Need:
    return known(OllamaModel(name=row.names[0], quantisation=published.quantisation))


def by_formula(model: Unlisted) -> Need:
    """As an author would say it, with a name that says nothing."""
    return known(
        OllamaModel(
            name="house",
            parameter_count=model.parameter_count,
            quantisation=model.quantisation,
        )
    )


def known(model: OllamaModel) -> Need:
    need = need_of(model)
    assert isinstance(need, Need), need
    return need


def deviation(need: Need, megabytes: float) -> float:
    """Of the weights from what is published: 0.02 is two percent more."""
    return need.weights_mib * MIB / (megabytes * MEGABYTE) - 1
