"""What the guard alone tells apart, were embeddings to find every minimal pair alike.

`make eval-cache` holds guard and embeddings together to `MOST_FALSE`, and needs the embedder's
weights for it; this needs none, and is the stricter question.
"""

from typing import Final

from tests.eval.cache.levels import guarded
from tests.eval.cache.pairs import pairs
from tests.eval.cache.proportions import Share
from tests.eval.cache.set_aside import is_set_aside

MOST_ALONE: Final = 0.02
"""Of pairs at any similarity, at the upper end of the interval."""
LEAST_JUDGED: Final = 1100


def test_the_guard_alone_lets_few_minimal_pairs_through() -> None:
    judged = [pair for pair in pairs() if not is_set_aside(pair)]
    passed = sum(not guarded(pair.first, pair.second) for pair in judged)
    assert len(judged) >= LEAST_JUDGED
    assert Share(passed, len(judged)).most <= MOST_ALONE
