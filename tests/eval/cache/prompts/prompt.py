"""A prompt to be shortened, and what must be left of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["rag", "tool output", "chat", "code"]
KINDS: Final[tuple[Kind, ...]] = ("rag", "tool output", "chat", "code")
Message = Mapping[str, object]

_MARK: Final = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_BLANKS: Final = re.compile(r"\s+")
_PIECE: Final = re.compile(
    r"'(?:[sdmt]|ll|ve|re)|[^\r\n\w]?[^\W\d_]+|\d{1,3}| ?[^\s\w]+[\r\n]*|_+|\s*[\r\n]|\s+",
    re.IGNORECASE,
)
_LONGEST: Final = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """`facts` are what the answer hangs on: each is to be found in what is sent, blanks aside
    and in whatever form; of code every character counts."""

    kind: Kind
    name: str
    messages: Sequence[Message]
    facts: Sequence[str]

    def missing(self, messages: Sequence[Message]) -> list[str]:
        """The facts that these messages have lost."""
        said = "\n".join(map(text_of, messages))
        if self.kind == "code":
            return [fact for fact in self.facts if fact not in said]
        bare = _bare(said)
        return [fact for fact in self.facts if _bare(fact) not in bare]


def unmarked(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without the marks `[[...]]`, and what was marked."""
    return _MARK.sub(lambda found: found[1], text), tuple(_MARK.findall(text))


def text_of(message: Message) -> str:
    """What a message says."""
    content = message.get("content")
    match content:
        case str():
            return content
        case _:
            return ""


def pieces(text: str) -> int:
    """About how many tokens a text has: the pieces into which OpenAI's cl100k cuts it before its
    tokens are made, longer words counted once for each eight letters. A run of blanks is one."""
    return sum(_tokens(found[0]) for found in _PIECE.finditer(text))


def _tokens(piece: str) -> int:
    return -(-len(piece) // _LONGEST) if piece.strip() else 1


def _bare(text: str) -> str:
    return _BLANKS.sub("", text)
