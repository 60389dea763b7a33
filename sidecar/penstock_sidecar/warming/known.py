"""Questions that may be asked again, in this sidecar's memory: no prompt leaves it for this."""

from collections import OrderedDict
from typing import Final

from penstock_sidecar.cache.question import Question

MOST_QUESTIONS: Final = 512
MOST_BYTES: Final = 8 * 1024 * 1024
"""Of requests' bodies; their parsed documents take some times as much."""


class Known:
    """The latest questions, by where their answers lie."""

    def __init__(self, most: int = MOST_QUESTIONS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._questions: OrderedDict[str, Question] = OrderedDict()
        self._bytes = 0

    def add(self, question: Question) -> None:
        """Those that were not asked for the longest time make room."""
        self._drop(question.key)
        self._questions[question.key] = question
        self._bytes += len(question.request.body)
        while self._bytes > self._most_bytes or len(self._questions) > self._most:
            self._drop(next(iter(self._questions)))

    def get(self, key: str) -> Question | None:
        return self._questions.get(key)

    def _drop(self, key: str) -> None:
        if former := self._questions.pop(key, None):
            self._bytes -= len(former.request.body)
