"""What was said before in the same prompt is not said again: the first time stays.

The first, not the last: what a provider has cached of a prompt's beginning stays as it is.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.compression.blocks import QUOTED

PARAGRAPHS: Final = re.compile(r"(\n[ \t]*\n\s*)")
SENTENCE_END: Final = re.compile(rf"{QUOTED.pattern}|(?P<gap>(?<=[.!?\u3002\uff01\uff1f])\s+)")
"""Between two, or a quotation, which is passed over."""
LEAST_CHARACTERS: Final = 40
"""Of a paragraph or sentence. Shorter ones (a heading, `Yes.`) say something where they stand."""
AS_ABOVE: Final = "[as above]"


@dataclass(slots=True)
class Repetitions:
    """Of one prompt; its texts go through in their order."""

    _paragraphs: set[str] = field(default_factory=set)
    _sentences: set[str] = field(default_factory=set)
    _outputs: set[str] = field(default_factory=set)

    def without(self, text: str) -> str:
        """Without the paragraphs, and the sentences, that came before."""
        parts = PARAGRAPHS.split(text)
        kept: list[str] = []
        for paragraph, gap in zip(parts[::2], (*parts[1::2], ""), strict=True):
            left = self._paragraph(paragraph)
            if left.strip() or not paragraph.strip():
                kept += (left, gap)
            elif _is_label(kept):
                kept += (AS_ABOVE, gap)
        return "".join(kept)

    def of_output(self, text: str) -> str:
        """A tool's whole output, or that it is there already."""
        key = _key(text)
        if len(key) < LEAST_CHARACTERS or key not in self._outputs:
            self._outputs.add(key)
            return text
        return AS_ABOVE

    def _paragraph(self, paragraph: str) -> str:
        key = _key(paragraph)
        if len(key) < LEAST_CHARACTERS:
            return paragraph
        if key in self._paragraphs:
            return ""
        self._paragraphs.add(key)
        return self._sentences_of(paragraph)

    def _sentences_of(self, paragraph: str) -> str:
        parts = sentences(paragraph)
        kept: list[str] = []
        for sentence, gap in zip(parts[::2], (*parts[1::2], ""), strict=True):
            key = _key(sentence)
            if len(key) < LEAST_CHARACTERS or key not in self._sentences:
                kept += (sentence, gap)
            elif _is_label(kept):
                kept += (AS_ABOVE, gap)
            self._sentences.add(key)
        return "".join(kept)


def sentences(text: str) -> list[str]:
    """A sentence, a gap, a sentence, and so on: joined they are the text. None ends within a
    quotation."""
    parts, begin = list[str](), 0
    for end in SENTENCE_END.finditer(text):
        if end["gap"]:
            parts += (text[begin : end.start()], end["gap"])
            begin = end.end()
    return [*parts, text[begin:]]


def _is_label(kept: list[str]) -> bool:
    """What stands last is short: a heading, or whose the next is. It must not stand alone."""
    last = _key(kept[-2]) if kept else ""
    return 0 < len(last) < LEAST_CHARACTERS and last != AS_ABOVE


def _key(text: str) -> str:
    return " ".join(text.split())
