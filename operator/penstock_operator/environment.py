"""Variables of the environment as the fields of a program's settings. Knows no program's own."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args, get_origin

T = TypeVar("T")
Parser = Callable[[str, str], object]
"""Of a variable and its text. Raises `SettingsError`."""
MAX_PORT: Final = 65_535


class SettingsError(ValueError):
    """A variable is missing or wrong; the text names it and never holds a secret's value."""


def told(
    kind: type[T],
    environment: Mapping[str, str],
    parsers: Mapping[object, Parser],
    prefix: str = "PENSTOCK_",
) -> T:
    """A dataclass whose fields are variables by their names in capitals. `parsers` are by field or
    by annotation; lists, paths, choices and texts need none. Raises `SettingsError`."""
    values: dict[str, object] = {}
    for name, annotation in kind.__annotations__.items():
        variable = f"{prefix}{name.upper()}"
        if text := environment.get(variable, "").strip():
            parse = parsers.get(name) or parsers.get(annotation) or _of(annotation)
            values[name] = parse(variable, text)
    return kind(**values)


def port(variable: str, text: str) -> int:
    if not text.isdecimal() or int(text) > MAX_PORT:
        msg = f"{variable}={text!r}: expected a port"
        raise SettingsError(msg)
    return int(text)


def seconds(at_most: float) -> Callable[[str, str], float]:
    """The parser of a time that is bounded."""

    def parse(variable: str, text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = 0
        if not 0 < found <= at_most:
            msg = f"{variable}={text!r}: expected seconds, more than 0 and at most {at_most:g}"
            raise SettingsError(msg)
        return found

    return parse


def _of(annotation: object) -> Parser:
    if annotation == tuple[str, ...]:
        return _list
    if annotation in (Path, Path | None):
        return lambda _, text: Path(text)
    if get_origin(annotation) is Literal:
        return _choice(get_args(annotation))
    return lambda _, text: text


def _list(_: str, text: str) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in text.split(",")) if part)


def _choice(choices: tuple[str, ...]) -> Parser:
    def parse(variable: str, text: str) -> str:
        if text not in choices:
            msg = f"{variable}={text!r}: expected one of {', '.join(choices)}"
            raise SettingsError(msg)
        return text

    return parse
