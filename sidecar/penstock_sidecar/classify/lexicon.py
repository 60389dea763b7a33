"""Which groups of the lexicon a text has words of: compiled once, looked up by sets."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Final

_WORD: Final = re.compile("[^\\W_\u0e00-\u0eff\u2e80-\uffdc]+")
"""Not of scripts without spaces: a name in Latin letters may stand right beside them."""
_SPACED: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
"""For ASCII, where that is quicker."""
LEAST_STEM: Final = 4
_UNSPACED: Final = re.compile("[\u0590-\u1fff\u2e80-\uffdc]")
"""Scripts whose words cannot be cut at spaces alone: all from Hebrew on but Latin's extensions."""


def words_of(text: str) -> list[str]:
    """In order; `text` in lower case."""
    return text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text)


class Lexicon:
    """Entries by how they are looked for, each with the groups that have it."""

    def __init__(self, groups: Mapping[str, Mapping[str, object]]) -> None:
        self._words: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._phrases: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
        """By the first word; how the most telling of the others begins, phrase and group."""
        self._signs: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for group, entries in groups.items():
            for word in _listed(entries.get("words")):
                self._add(word, group)
            for stem in _listed(entries.get("stems")):
                self._stems[stem[:LEAST_STEM]].append((stem, group))
            for phrase in _listed(entries.get("phrases")):
                self._add(phrase, group)
            for sign in _listed(entries.get("signs")):
                self._signs[sign[0]].append((sign.replace("_", " "), group))

    def _add(self, entry: str, group: str) -> None:
        """What is no single word is a phrase, found by its first."""
        words = words_of(entry)
        if words == [entry]:
            self._words[entry].append(group)
        else:
            self._phrases[words[0]].append((_telling(entry, words), entry, group))

    @classmethod
    def load(cls) -> "Lexicon":
        text = files("penstock_sidecar.classify").joinpath("lexicon.toml").read_text("utf-8")
        return cls(tomllib.loads(text))

    def groups_of_words(self, words: Iterable[str]) -> Iterator[str]:
        """A group for each of its entries among the words, each entry once."""
        seen = set(words)
        for word in self._words.keys() & seen:
            yield from self._words[word]
        begun: set[tuple[str, str]] = set()
        for word in seen:
            for entry in self._stems.get(word[:LEAST_STEM], ()):
                if word.startswith(entry[0]):
                    begun.add(entry)
        for _, group in begun:
            yield group

    def groups_of_phrases(self, words: Iterable[str], text: str) -> Iterator[str]:
        """The same for phrases of a text that has these words."""
        seen = set(words)
        begun = {word[:LEAST_STEM] for word in seen} | {""}
        for word in self._phrases.keys() & seen:
            for telling, phrase, group in self._phrases[word]:
                if telling in begun and phrase in text:
                    yield group

    def groups_of_signs(self, text: str) -> Iterator[str]:
        """The same for the words of scripts without spaces."""
        if text.isascii() or not _UNSPACED.search(text):
            return
        for first in self._signs.keys() & set(text):
            for sign, group in self._signs[first]:
                if sign in text:
                    yield group


def _telling(phrase: str, words: list[str]) -> str:
    """How a word begins that every text with this phrase has: the longest but the first. Empty
    where there is none, or only a short last word, which others may begin with."""
    whole = words[1:-1] if phrase.endswith(words[-1]) else words[1:]
    certain = [*whole, *(word for word in words[1:] if len(word) >= LEAST_STEM)]
    return max(certain, key=len, default="")[:LEAST_STEM]


def unspaced_characters(text: str) -> int:
    return 0 if text.isascii() else len(_UNSPACED.findall(text))


def _listed(entries: object) -> list[str]:
    """A list, or words of a text."""
    return entries.split() if isinstance(entries, str) else list(_strings(entries))


def _strings(entries: object) -> Iterator[str]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, str):
            yield entry
