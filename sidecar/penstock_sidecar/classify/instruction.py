"""What is asked, apart from what it is asked about: quotations and pasted material are left out."""

import re
from dataclasses import dataclass
from typing import Final

WHOLE_CHARACTERS: Final = 500
"""Of this length, lines that follow each other are one instruction; of longer texts the first
lines and the last are."""
BEGINNING: Final = 420
END: Final = 320
HEAD: Final = 200
"""Of a first sentence, in characters."""
LEAST_HEAD: Final = 10
MARK: Final = " … "
_QUOTATION: Final = re.compile(
    r"\"[^\"\n]{12,}\"|“[^”]{12,}”|„[^“”\"]{12,}[“”\"]|«[^»]{12,}»|「[^」]{8,}」|『[^』]{8,}』"
)
_END_OF_HEAD: Final = re.compile("[:.?!;：。？！؟।\n](?:(?<=[：。？！؟।\n])|\\s)")

_UNWANTED: Final = re.compile(
    r"[DdNnWw](?<!\w.)(?i:(?<=d)(?:o not|on['’]t)|(?<=n)ot?|(?<=w)ithout)\b(?: \w+){0,4}? "
    r"(?i:(?:a )?(?:translat|summar|extract|explain|solv|rewrit|answer|cod))\w*"
)
"""What is named to be ruled out. Its first letters stand apart, for `re` to pass by all others:
behind a word boundary, or in any case, they would be tried everywhere."""


@dataclass(frozen=True, slots=True, repr=False)
class Instruction:
    """Never printed: it holds words of the prompt. `quoted` is in characters."""

    asked: str
    quoted: int


def instruction_of(prose: str) -> Instruction:
    """Where nothing would be left, all is the instruction."""
    stripped = prose.strip()
    kept = _QUOTATION.sub(MARK, stripped) if _may_quote(stripped) else stripped
    if len(kept) - len(MARK) < 4:  # noqa: PLR2004  # the quotation is all there is
        kept = stripped
    return Instruction(_UNWANTED.sub(MARK, _outer(kept)), len(stripped) - len(kept))


def head_of(asked: str) -> str:
    """The first sentence that is more than a word or two, or what stands before its colon."""
    end = _END_OF_HEAD.search(asked, LEAST_HEAD)
    return asked[: end.end() if end and end.start() <= HEAD else HEAD]


def _may_quote(text: str) -> bool:
    return any(sign in text for sign in '"“„«「『')


def _outer(text: str) -> str:
    """The first block, and the last where it is no part of the material."""
    blocks = [block for block in text.split("\n\n") if block.strip()]
    if len(blocks) > 1:
        first, last = blocks[0], blocks[-1]
        if len(text) <= WHOLE_CHARACTERS and not first.rstrip().endswith((":", "：")):
            return text
        return first[:BEGINNING] + "\n" + _last(last, first)
    lines = text.split("\n", 2)
    if len(lines) > 1 and lines[0].rstrip().endswith((":", "：")):
        return lines[0][:BEGINNING]
    if len(text) <= BEGINNING + END:
        return text
    return text[:BEGINNING] + "\n" + text[-END:]


def _last(block: str, first: str) -> str:
    """Material is longer than what is said of it, and a first block that ends so announces it."""
    if first.rstrip().endswith((":", "：")):
        return ""
    return block[-END:] if len(block) > BEGINNING else block
