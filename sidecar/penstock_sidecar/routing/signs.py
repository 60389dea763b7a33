"""Signs that an answer is bad, though it came: pure, but for reading its words where needed.

They hint, no more: a factor is lost for each, and won back by what is good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_config.classification import Task
from penstock_sidecar.dialects.answer_text import answer_text, question_bytes
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.model import Request
from penstock_sidecar.routing.scores import Learning

MAX_READ_BYTES: Final = 65_536
"""A longer answer's words are not looked at."""
MAX_REFUSAL_BYTES: Final = 400
"""Who has more to say than this has answered."""
REFUSALS: Final = (
    "i'm sorry, but i can",
    "i'm sorry, i can",
    "i am sorry, but i can",
    "sorry, but i can",
    "sorry, i can",
    "i can't help with",
    "i can't assist",
    "i cannot help with",
    "i cannot assist",
    "i'm unable to",
    "i am unable to",
    "as an ai",
)
"""How refusals begin; other languages' are not known, and so not punished."""
SHORT_TASKS: Final = frozenset[Task]({"summarise", "extract"})
"""Whose answers are meant to be shorter than the question."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An answer that came to its end."""

    task: Task
    seconds: float
    text_bytes: int
    finish: str | None
    body: bytes | None
    """As the caller got it; `None` where it was too long to keep."""


def is_bad(request: Request, ended: Ended, learning: Learning) -> bool:
    """Embeddings never are: nobody can tell."""
    if request.embeds:
        return False
    return (
        ended.finish == "content_filter"
        or _refuses(request, ended)
        or _breaks_json(request, ended)
        or _short_and_slow(request, ended, learning)
    )


def _refuses(request: Request, ended: Ended) -> bool:
    if ended.text_bytes > MAX_REFUSAL_BYTES or ended.finish == "tool_calls" or ended.body is None:
        return False
    text = answer_text(request, ended.body) or ""
    return text.lstrip().lower().replace("\u2019", "'").startswith(REFUSALS)


def _breaks_json(request: Request, ended: Ended) -> bool:
    """An answer that was cut at its length is the caller's own limit."""
    whole = request.json and ended.finish == "stop" and request.choices == 1
    if not whole or ended.body is None:
        return False
    text = answer_text(request, ended.body)
    if text is None:
        return False
    try:
        found = parse(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return True
    return not isinstance(found, Mapping | list)


def _short_and_slow(request: Request, ended: Ended, learning: Learning) -> bool:
    """The roadmap's sign: less than half as long as the question, and slower than two seconds."""
    if (
        ended.seconds <= learning.slow_seconds
        or ended.task in SHORT_TASKS
        or ended.finish not in {"stop", None}
    ):
        return False
    return ended.text_bytes < learning.length_ratio * question_bytes(request)
