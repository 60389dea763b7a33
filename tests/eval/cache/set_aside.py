"""Which pairs are not judged by: those told apart by a word that the guard has in a table.

A guard that knows a word refuses whatever differs in it; a pair made of it would ask no more than
whether the table is read. `python -m tests.eval.cache.set_aside` writes the list anew.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Final

from penstock_sidecar.cache.semantic import guard
from tests.eval.cache.pairs import Pair, pairs

SET_ASIDE: Final = Path(__file__).with_name("set_aside.txt")
_WORD: Final = re.compile("[^\\W\\d_]+(?:['\u2019][^\\W\\d_]+)*")
_NO_WORD: Final = re.compile(r"\\.|\(\?[a-zA-Z<=!:]+")
"""Of a pattern, escapes and what opens its groups."""


@cache
def _numbers() -> frozenset[int]:
    return frozenset(map(int, SET_ASIDE.read_text("utf-8").split()))


def is_set_aside(pair: Pair) -> bool:
    """As committed; a test compares it with the tables."""
    return pair.number in _numbers()


def telling_words(pair: Pair) -> frozenset[str]:
    """Which words one has and the other has not, or has less often; folded to lower case."""
    one, other = (Counter(_words(text)) for text in (pair.first, pair.second))
    return frozenset(((one - other) + (other - one)).keys())


def table_words() -> frozenset[str]:
    """Every word of the guard's tables: in any text that its sources or data files hold, docstrings
    aside, and in whatever its modules make of them."""
    found: set[str] = set()
    for folder in guard.__path__:
        for path in Path(folder).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                found.update(_written(path))
    for module in walk_packages(guard.__path__, f"{guard.__name__}."):
        values = vars(import_module(module.name)).items()
        found.update(
            word for name, value in values if not name.startswith("__") for word in _held(value)
        )
    return frozenset(found)


def colliding() -> list[int]:
    """The numbers of the pairs that a word of the tables tells apart."""
    known = table_words()
    return [pair.number for pair in pairs() if telling_words(pair) & known]


def _written(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return _words(text)
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    said = (n.value for n in constants if isinstance(n.value, str) and id(n) not in prose)
    return (word for each in said for word in _words(_NO_WORD.sub(" ", each)))


def _held(value: object) -> Iterator[str]:
    match value:
        case str():
            yield from _words(value)
        case re.Pattern():
            yield from _words(_NO_WORD.sub(" ", str(value.pattern)))
        case _:
            for part in _parts(value):
                yield from _held(part)


def _parts(value: object) -> Iterable[object]:
    match value:
        case Mapping():
            return (*value, *value.values())
        case list() | tuple() | AbstractSet():
            return value
        case _ if is_dataclass(value) and not isinstance(value, type):
            return [getattr(value, field.name) for field in fields(value)]
        case _:
            return ()


def _words(text: str) -> Iterator[str]:
    """Of "employer's" also "employer"."""
    for word in _WORD.findall(text.casefold()):
        yield word
        yield from re.split("['\u2019]", word)[:1]


if __name__ == "__main__":
    sys.stdout.writelines(f"{number}\n" for number in colliding())
