"""Callers who ask again and again over real HTTP, and what they got."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import redis

from tests.chaos.figures import note

REST_SECONDS: Final = 0.01
"""Of a caller, after each answer."""
PATIENCE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02


async def until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> float:
    """For how long it did not hold. A Redis that does not answer counts as not yet."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(seconds):
        while not _holds(condition):  # noqa: ASYNC110  # of another process, nobody is told
            await asyncio.sleep(POLL_SECONDS)
    return loop.time() - began


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except (redis.RedisError, OSError):
        return False


@dataclass
class Load:
    """What came back, by status; 0 is a broken connection."""

    seen: Counter[int] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    """Micro-dollars by user, as answers told their usage."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Codes of refusals."""
    ended: bool = False

    async def more_answers(self, count: int) -> float:
        """Seconds until so many further ones came, good or bad."""
        goal = self.seen.total() + count
        return await until(lambda: self.seen.total() >= goal)

    async def more(self, count: int) -> float:
        """Seconds until so many further answers were good."""
        goal = self.seen[200] + count
        return await until(lambda: self.seen[200] >= goal)

    async def ask(self, session: aiohttp.ClientSession, url: str, user: str) -> int:
        """One request; the status."""
        headers = {"x-penstock-user": user, "x-team": f"of-{user}"}
        try:
            async with session.post(url, json=document(), headers=headers) as answer:
                body = await answer.json()
                status = answer.status
        except aiohttp.ClientError:
            self.seen[0] += 1
            return 0
        self.seen[status] += 1
        self._note(status, body, user)
        return status

    def _note(self, status: int, body: dict[str, Any], user: str) -> None:
        if status == 200:
            usage = body["usage"]
            self.spent[user] += usage["prompt_tokens"] + 2 * usage["completion_tokens"]
        else:
            self.reasons[str(body["error"]["code"])] += 1


def document() -> dict[str, object]:
    message = {"role": "user", "content": "What is the weather like on the other side of it?"}
    return {"model": "fast", "messages": [message], "max_tokens": 20}


@asynccontextmanager
async def load(
    session: aiohttp.ClientSession, urls: Sequence[str], callers: int = 6, users: int = 3
) -> AsyncIterator[Load]:
    """Callers spread over the sidecars and users until the block ends; all are answered then."""
    running = Load()

    async def call(number: int) -> None:
        while not running.ended:
            url, user = urls[number % len(urls)], f"user-{number % users}"
            await running.ask(session, url, user)
            await asyncio.sleep(REST_SECONDS)

    async with asyncio.TaskGroup() as tasks:
        for number in range(callers):
            tasks.create_task(call(number))
        try:
            yield running
        finally:
            running.ended = True
            note(answers=dict(running.seen), refusals=dict(running.reasons))
