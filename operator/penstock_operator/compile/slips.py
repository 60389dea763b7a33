"""What a field that does not exist was probably meant to be."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel

LIKENESS = 0.75


def nearest_field(type_: type[BaseModel], location: Sequence[int | str]) -> str | None:
    """The outside name of the field that is most like the last step of `location`, if one is."""
    *around, slip = location
    model: type[BaseModel] | None = type_
    for step in around:
        if isinstance(step, str) and model is not None:
            model = _fields(model).get(step)
    names = {name.lower(): name for name in (_fields(model) if model else ())}
    found = get_close_matches(str(slip).lower(), names, n=1, cutoff=LIKENESS)
    return names[found[0]] if found else None


def _fields(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """Outside names, each with the type of the object or objects that it holds."""
    return {
        info.alias or name: next(_models(info.annotation), None)
        for name, info in model.model_fields.items()
    }


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
