"""What became of a lookup by meaning: words for metrics, and what shadow remembers."""

from typing import Literal, Protocol

from penstock_sidecar.cache.semantic.judging import Verdict

Found = Literal[
    "hit",
    "shadow",
    "verified",
    "nothing_near",
    "gone",
    "old",
    "distrusted",
    "guarded",
    "unsuitable",
    "too_long",
    "away",
    "late",
    "refused",
    "paused",
]
"""`hit` answers; `shadow` would have, and so would `verified`, but the model is asked, to compare.
Of what was near, the nearest says why it does not: its answer is gone, too old, not trusted any
more, or the guard refuses it. `unsuitable` and `too_long` are questions that are not compared; the
last four are the embedder's."""


class SemanticObserver(Protocol):
    """Hears of each lookup, and of each answer judged in shadow."""

    def semantic_looked_up(self, policy: str, found: Found, similarity: float | None) -> None: ...

    def semantic_judged(self, policy: str, verdict: Verdict) -> None: ...
