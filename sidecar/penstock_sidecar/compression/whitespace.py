"""Runs of white space, and signs that nobody sees."""

import re
from typing import Final

from penstock_sidecar.compression.blocks import QUOTED

UNSEEN: Final = re.compile(rf"{QUOTED.pattern}|(?P<unseen>[\ufeff\u200b]+)")
"""Byte-order marks and zero-width spaces; joiners are letters' business. Or a quotation, which is
passed over."""
INNER: Final = re.compile(
    rf"(?m:^(?: {{2,}}|\t).*$)|{QUOTED.pattern}|(?P<run>(?<=\S)[ \t\u00a0\u3000]{{2,}}(?=\S))"
)
"""Between words, or an indented line or a quotation, which are passed over."""
TRAILING: Final = re.compile(r"(?<![ \t\u00a0])[ \t\u00a0]++(?=\n|\Z)")
"""Looked at from its beginning alone: from each place of a long run it would take minutes."""
BLANK_LINES: Final = re.compile(r"\n(?:[ \t]*\n){2,}")


def without_runs(text: str) -> str:
    """One space between words, one empty line between paragraphs; indentation stays."""
    return INNER.sub(lambda found: " " if found["run"] else found[0], without_blank_lines(text))


def without_blank_lines(text: str) -> str:
    """The same for text in columns: what stands within a line stays."""
    seen = UNSEEN.sub(lambda found: "" if found["unseen"] else found[0], text)
    return BLANK_LINES.sub("\n\n", TRAILING.sub("", seen.replace("\r\n", "\n")))
