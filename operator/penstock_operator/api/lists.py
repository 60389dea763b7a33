"""Lists whose items are told apart: server-side apply merges them, and none may be there twice.

`x-kubernetes-list-type` makes the API server say so; parsing says it too, for local mode.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from penstock_operator.api.rules import given


@dataclass(frozen=True, slots=True)
class KeyedBy:
    """Annotates a list of objects whose `keys`, plain required fields, make them distinct."""

    keys: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._distinct, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": list(self.keys),
        }

    def _distinct(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        _refuse_twice([", ".join(str(given(item, key)) for key in self.keys) for item in items])
        return items


@dataclass(frozen=True, slots=True)
class Distinct:
    """Annotates a list of plain values that are all different."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self._distinct, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"x-kubernetes-list-type": "set"}

    @staticmethod
    def _distinct(items: tuple[Any, ...]) -> tuple[Any, ...]:
        _refuse_twice([str(item) for item in items])
        return items


def _refuse_twice(names: list[str]) -> None:
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        msg = f"{twice[0]!r} is there twice: remove one"
        raise ValueError(msg)


BY_NAME = KeyedBy(("name",))
BY_COMPLEXITY = KeyedBy(("complexity",))
DISTINCT = Distinct()
