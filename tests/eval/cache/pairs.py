"""The minimal pairs: two requests as near as can be that need different answers.

Made from `templates/`, by a seed: the same pairs on every machine, `frozen.sha256` vouches for
them. Nothing here knows the guard, nor has its author seen these templates.

A template is a line `<domain> | <text>`. In the text `{a~b; c~d}` makes a pair of each contrast,
`{a<>b; c<>d}` with a later `{^}` one in which two words swap their places, and `((x; y))` is filled
with one of its words, the same in both requests. `# class: <name>` says how the pairs below differ.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

TEMPLATES: Final = Path(__file__).parent / "templates"
CONTEXTS: Final = "contexts.txt"
SEED: Final = "minimal pairs 1"
CONTEXTS_BEFORE: Final = 0.6
CONTEXTS_BEHIND: Final = 0.6
"""So many requests say a sentence on their circumstances, too, as people do: the longer what two
requests share, the nearer they are."""
WHOLE: Final = "question"
"""A domain of templates that are contrasts and nothing else: whole questions in two languages."""

_CONTRASTS: Final = re.compile(r"\{(?!\^\})([^{}]+)\}")
_FILLERS: Final = re.compile(r"\(\(([^()]*)\)\)")
_CLASS: Final = "# class: "


@dataclass(frozen=True, slots=True)
class Pair:
    """Two last turns of a user; the answer to one is wrong for the other."""

    number: int
    kind: str
    domain: str
    first: str
    second: str

    @property
    def line(self) -> str:
        """What the hash is taken over."""
        return "\t".join((str(self.number), self.kind, self.domain, self.first, self.second))


@dataclass(frozen=True, slots=True)
class _Template:
    kind: str
    domain: str
    text: str


def pairs(folder: Path = TEMPLATES) -> tuple[Pair, ...]:
    """All of them, in the templates' order."""
    contexts = (folder / CONTEXTS).read_text("utf-8").splitlines()
    made = (pair for template in _templates(folder) for pair in _made(template, contexts))
    return tuple(Pair(number, *rest) for number, rest in enumerate(made, 1))


def _templates(folder: Path) -> Iterator[_Template]:
    for path in sorted(folder.glob("*.txt")):
        if path.name != CONTEXTS:
            yield from _parsed(path.read_text("utf-8").splitlines())


def _parsed(lines: Sequence[str]) -> Iterator[_Template]:
    kind = ""
    for line in lines:
        if line.startswith(_CLASS):
            kind = line.removeprefix(_CLASS)
        elif line:
            domain, _, text = line.partition(" | ")
            yield _Template(kind, domain, text)


def _made(template: _Template, contexts: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    found = _CONTRASTS.search(template.text)
    if found is None:
        raise ValueError(f"no contrast: {template.text}")
    for contrast in found[1].split("; "):
        frame = template.text.replace(found[0], "\0", 1)
        random = Random(f"{SEED} {template.text} {contrast}")
        frame = _furnished(frame, random)
        if template.domain != WHOLE:
            frame = _in_context(frame, contexts, random)
        yield (template.kind, template.domain, *_contrasted(frame, contrast))


def _furnished(frame: str, random: Random) -> str:
    return _FILLERS.sub(lambda fillers: random.choice(fillers[1].split("; ")), frame)


def _in_context(frame: str, contexts: Sequence[str], random: Random) -> str:
    before, behind = random.sample(contexts, 2)
    sentences = (
        before if random.random() < CONTEXTS_BEFORE else "",
        frame,
        behind if random.random() < CONTEXTS_BEHIND else "",
    )
    return " ".join(filter(None, sentences))


def _contrasted(frame: str, contrast: str) -> tuple[str, str]:
    if "{^}" in frame:
        one, other = contrast.split("<>")
        return _filled(frame, one, other), _filled(frame, other, one)
    one, other = contrast.split("~")
    return _filled(frame, one), _filled(frame, other)


def _filled(frame: str, word: str, swapped: str = "") -> str:
    text = frame.replace("\0", word).replace("{^}", swapped)
    return text[0].upper() + text[1:]
