"""Work over texts, in a thread where it takes long enough to hold up other requests."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

MOST_CHARACTERS: Final = 2_000
"""About a millisecond's work."""


async def off_the_loop(texts: Sequence[str], work: Callable[[], T]) -> T:
    """`work` must be pure: it may run beside the loop."""
    if sum(map(len, texts)) <= MOST_CHARACTERS:
        return work()
    return await asyncio.to_thread(work)
