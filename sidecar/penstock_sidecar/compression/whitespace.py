"""Runs of white space, and signs that nobody sees."""

import re
from typing import Final

from penstock_sidecar.compression.blocks import QUOTED

UNSEEN: Final = re.compile("[\ufeff\u200b]")
"""Byte-order marks and zero-width spaces; joiners are letters' business."""
INNER: Final = re.compile(
    rf"(?m:^(?: {{2,}}|\t).*$)|{QUOTED.pattern}|(?P<run>(?<=\S)[ \t\u00a0\u3000]{{2,}}(?=\S))"
)
"""Between words, or an indented line or a quotation, which are passed over."""
TRAILING: Final = re.compile(r"[ \t\u00a0]+(?=\n|\Z)")
BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


def without_runs(text: str) -> str:
    """One space between words, one empty line between paragraphs; indentation stays."""
    return INNER.sub(lambda found: " " if found["run"] else found[0], without_blank_lines(text))


def without_blank_lines(text: str) -> str:
    """The same for text in columns: what stands within a line stays."""
    return BLANK_LINES.sub("\n\n", TRAILING.sub("", UNSEEN.sub("", text.replace("\r\n", "\n"))))
