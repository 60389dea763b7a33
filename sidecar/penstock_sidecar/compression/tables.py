"""JSON as tools give it, without what it says again and again. Nothing is lost: names stand once,
above the rows; what is the same in all rows stands once, beside them.

Numbers stay as they were written: `1.10` is somebody's price.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

LEAST_ROWS: Final = 3
MAX_CHARACTERS: Final = 2_000_000
NUMBER: Final = re.compile(r"-?\d[\d.eE+-]*")


class _Number(str):
    """Digits as they came."""

    __slots__ = ()


def smaller_json(text: str) -> str | None:
    """The same data in fewer characters; None for what is no JSON, or would not be shorter."""
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        value = _read(text)
        told = _written(_tabled(value)) if value is not None else ""
        told.encode()  # an escaped half of a surrogate pair has no other spelling
    except (ValueError, RecursionError):
        return None
    return told if told and len(told) < len(text) else None


def _read(text: str) -> object:
    """One value, or one object a line; None for a lone text or number."""
    bare = text.strip()
    if not bare.startswith(("{", "[")):
        return None
    try:
        return _parsed(bare)
    except ValueError:
        lines = [line for line in bare.split("\n") if line.strip()]
        if len(lines) < LEAST_ROWS:
            raise
        return [_parsed(line) for line in lines]


def _parsed(text: str) -> object:
    return json.loads(
        text,
        parse_float=_Number,
        parse_int=_Number,
        parse_constant=_refused,
        object_pairs_hook=_once,
    )


def _once(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    """A name that is there twice has two values, and only one would stay."""
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "a name is there twice"
        raise ValueError(msg)
    return found


def _refused(name: str) -> object:
    msg = f"{name} is no JSON"
    raise ValueError(msg)


def _tabled(value: object) -> object:
    if isinstance(value, list):
        return _table(value) or [_tabled(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _tabled(each) for name, each in value.items()}
    return value


def _table(rows: Sequence[object]) -> object | None:
    """None where the rows are no objects with the same fields."""
    objects = [row for row in rows if isinstance(row, Mapping) and row]
    if len(objects) < max(len(rows), LEAST_ROWS):
        return None
    names = list(objects[0])
    if any(row.keys() != objects[0].keys() for row in objects):
        return None
    same = {name: objects[0][name] for name in names if _constant(name, objects)}
    columns = [name for name in names if name not in same]
    return {
        **({"every_row": _tabled(same)} if same else {}),
        "columns": columns,
        "rows": [[_tabled(row[name]) for name in columns] for row in objects],
    }


def _constant(name: str, rows: Sequence[Mapping[str, object]]) -> bool:
    """Said once for all; true, 1 and 1.0 are three values."""
    first = _written(rows[0][name])
    return all(_written(row[name]) == first for row in rows)


def _written(value: object) -> str:
    match value:
        case _Number():
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{','.join(map(_written, value))}]"
        case Mapping():
            fields = (
                f"{json.dumps(name, ensure_ascii=False)}:{_written(each)}"
                for name, each in value.items()
            )
            return f"{{{','.join(fields)}}}"
        case _:
            return json.dumps(value)
