"""The catalogue of models and prices: its form, and the one that ships beside this file.

Its numbers are what the vendors' pages said on its date, collected by others: good enough to hold a
budget until the author of a resource writes his own, and never a promise. No I/O but for reading
that file, once.
"""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationError

from penstock_operator.api.base import ApiModel
from penstock_operator.api.preset import PresetName
from penstock_operator.api.provider_model import Capability, ModelName, Price

FORMAT: Final = 2
"""1 had no capabilities, and no embeddings."""
FILE: Final = "prices.json"


class ListedModel(ApiModel):
    """What is known of a model."""

    price: Price
    context_window: Annotated[int, Field(ge=1)] | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None
    capabilities: tuple[Capability, ...] = ()
    """None: it has a price, and is not known to be asked for a chat or for embeddings."""


class PriceList(ApiModel):
    """Prices by preset, then by the name that the provider knows."""

    format: Literal[2]
    date: date
    source: str
    licence: str
    providers: Mapping[PresetName, Mapping[ModelName, ListedModel]]

    def find(self, preset: PresetName | None, name: str) -> ListedModel | None:
        return self.providers.get(preset, {}).get(name) if preset else None


class NoPriceList(ValueError):
    """What was read is none; the text says where it is wrong first."""


def parse(text: str | bytes) -> PriceList:
    """Raises `NoPriceList`."""
    try:
        return PriceList.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise NoPriceList(": ".join([".".join(map(str, first["loc"])), first["msg"]])) from None


def render(prices: PriceList) -> str:
    """JSON with a model on each line and in order, so that differences can be read."""
    document = prices.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    providers = document.pop("providers")
    head = "".join(f"  {_json(name)}: {_json(value)},\n" for name, value in document.items())
    body = ",\n".join(
        f"    {_json(preset)}: {{\n{_lines(models)}\n    }}"
        for preset, models in sorted(providers.items())
    )
    return f'{{\n{head}  "providers": {{\n{body}\n  }}\n}}\n'


@cache
def shipped() -> PriceList:
    """The list of this release."""
    return parse(files(__package__).joinpath(FILE).read_bytes())


def _lines(models: Mapping[str, object]) -> str:
    return ",\n".join(f"      {_json(name)}: {_json(of)}" for name, of in sorted(models.items()))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
