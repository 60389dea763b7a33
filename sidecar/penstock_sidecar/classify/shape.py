"""What a text looks like, whatever its language: code, formulas, lists, questions.

Each pattern takes time in proportion to the text, whatever stands there; the dearer ones are
tried only where a character that they need occurs. Most begin with what they consume, and look
behind only then: where the first character cannot fit, `re` goes on at once.
"""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Final

_CODE_LINE: Final = re.compile(
    r"\n[ \t]*+(?:def |class |import |from \w+ import|#include|public |private |func |fn |const |"
    r"let |var |return\b|if \(|for \(|while \(|SELECT |INSERT |UPDATE |CREATE |package |using |"
    r"@\w+|\}|[\w.]+\(.*\);?$|[\w.\[\]]+ = .+;?$|.*[;{]$)",
    re.MULTILINE,
)
"""With the end of the line before."""
_TRACES: Final = (
    "Traceback (most", "Error", "Exception", "    at ", "panic: ", "SIGSEGV", "egfault",
    "exit code ", "error[E", "undefined reference",
)  # fmt: skip
_FILE: Final = re.compile(
    r"\.(?:py|js|ts|tsx|jsx|go|rs|java|cpp|hpp|cs|rb|php|sh|sql|ya?ml|json|toml|html|css|tf|kt|"
    r"swift|ipynb|lock|gradle|xml|log|conf|ini)\b"
)
_NAMES: Final = ("_", "`", "()", "::", "->")
_SYMBOL_OF_MATHS: Final = re.compile("[∑∫√≤≥≠∞∈∉∀∃→⇒≡∂∇πθλσΩ±×÷²³ⁿω]")
_COMMAND: Final = re.compile(r"\\[a-z]{2,}")
_RELATION: Final = re.compile(r"\w[ )]?[=<>≤≥] ?[\w(−-]")
_ARITHMETIC: Final = re.compile(r"\d ?[-+*/^] ?\d")
_FUNCTION: Final = re.compile(r"\((?<=\b[A-Za-z]\()[a-z0-9]\)")
_ITEM: Final = re.compile(r"\n[ \t]*+(?:[-*•·]|\(?\d{1,2}[.)、:]|[a-h]\))[ \t]*\S")
"""With the end of the line before."""
_NUMBER: Final = re.compile(r"\d\d*")
_QUESTION: Final = "?？؟"
_SENTENCE: Final = re.compile("[.!?。！？؟।](?:(?=\\s)|(?<=[。！？।]))")
_CLAUSE: Final = ",;:，；：、،"
_LENGTH: Final = re.compile(
    r"\d{3,5}[ -]?(?:words?|palabras|mots|wörter|parole|palavras|słów|слов|字|文字|자|كلمة)"
)
_QUOTED: Final = '"“”«»„「」『』'
_SYMBOLS: Final = "{}[]()=<>;"


def prose_of(text: str) -> str:
    """Without fenced code."""
    return "\n".join(text.split("```")[::2]) if "```" in text else text


def shape_of(text: str, prose: str, asked: str) -> Iterator[tuple[str, float]]:
    """Names with values from 0 to 3, of all, of what is no code, and of the instruction."""
    yield "code:fence", float("```" in text)
    if "\n" in text or ";" in text:
        yield "code:lines", _some(_times(_CODE_LINE, "\n" + text, 3), 3)
    yield "code:trace", _some(sum(map(text.__contains__, _TRACES)), 2)
    yield "code:files", _some(_times(_FILE, text, 2), 2)
    yield "code:names", _some(_count(_NAMES, text), 4)
    yield "code:symbols", min(3.0, 30 * _count(_SYMBOLS, text) / (len(text) + 1))
    numbers = _times(_NUMBER, prose, 6)
    yield "formulas", _some(_formulas(prose, numbers), 4)
    yield "items", _some(_times(_ITEM, "\n" + prose, 8), 8)
    yield "numbers", _some(numbers, 6)
    questions = min(3, _count(_QUESTION, asked))
    yield "question", float(questions > 0)
    yield "questions:many", max(0.0, questions - 1.0)
    yield "sentences", _some(_times(_SENTENCE, asked, 6), 6)
    clauses = min(24, _count(_CLAUSE, asked))
    yield "clauses", _some(clauses, 8)
    yield "clauses:many", max(0.0, clauses - 6) / 6
    yield "long:asked", float(numbers > 0 and _LENGTH.search(asked) is not None)
    yield "quoted", float(any(map(prose.__contains__, _QUOTED)))


def _formulas(prose: str, numbers: int) -> int:
    found = prose.count("^") + (prose.count("$") // 2)
    if "\\" in prose:
        found += _times(_COMMAND, prose, 4)
    if "=" in prose or "<" in prose or ">" in prose:
        found += _times(_RELATION, prose, 4)
    if "(" in prose:
        found += _times(_FUNCTION, prose, 4)
    if not prose.isascii():
        found += _times(_SYMBOL_OF_MATHS, prose, 4)
    return found + (_times(_ARITHMETIC, prose, 4) if numbers > 1 else 0)


def _count(signs: Iterable[str], text: str) -> int:
    """How often they occur."""
    return sum(map(text.count, signs))


def _times(pattern: re.Pattern[str], text: str, most: int) -> int:
    """How often it occurs, counted up to `most`."""
    found = 0
    for _ in pattern.finditer(text):
        found += 1
        if found == most:
            break
    return found


def _some(found: int, most: int) -> float:
    """From 0 to 2: of the first few, each counts more."""
    return 2 * math.sqrt(min(found, most) / most)
