"""Redis as the ledger needs it: many commands in one round trip, and scripts by their digest."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from importlib import resources
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.exceptions import NoScriptError, RedisError

from penstock_operator.ledger.address import Client, client_of, close
from penstock_operator.settings import Settings

Command = tuple[str | bytes | int, ...]
BATCH: Final = 256
"""Commands per round trip: replies of a batch are held at once."""


class LedgerAway(Exception):
    """Redis did not answer, or would not. The text holds no credentials."""


class Script:
    """One file of `lua/`, or a text of another's."""

    def __init__(self, name: str, text: str | None = None) -> None:
        file = resources.files(__package__).joinpath("lua", name)
        self.text: Final = file.read_text("utf-8") if text is None else text
        self.digest: Final = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class Store:
    """Every call raises `LedgerAway` when it gets no answer; deadlines are the client's."""

    def __init__(self, client: Client) -> None:
        self._client: Any = client  # the two kinds share no type, and redis-py's are loose

    async def now(self) -> float:
        """Redis's clock, Unix time in seconds. A Cluster's is that of any node."""
        any_node = isinstance(self._client, RedisCluster)
        where = {"target_nodes": RedisCluster.RANDOM} if any_node else {}
        with translated():
            seconds, micros = await self._client.time(**where)
        return float(seconds) + int(micros) / 1e6

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The raw reply of each command, or `None` where it alone failed."""
        replies: list[Any] = []
        for start in range(0, len(commands), BATCH):
            replies += await self._batch(commands[start : start + BATCH])
        return replies

    async def _batch(self, commands: Sequence[Command]) -> list[Any]:
        with translated():
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            replies = await pipeline.execute(raise_on_error=False)
        failed = [reply for reply in replies if isinstance(reply, Exception)]
        if len(failed) == len(replies) and (errors := [e for e in failed if not _is_the_keys(e)]):
            raise LedgerAway(said(errors[0])) from errors[0]
        return [None if isinstance(reply, Exception) else reply for reply in replies]

    async def run(self, script: Script, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
        """Loads the script where the server does not know it."""
        call = (script.digest, len(keys), *keys, *arguments)
        with translated():
            try:
                return await self._client.evalsha(*call)
            except NoScriptError:
                await self._client.script_load(script.text)
                return await self._client.evalsha(*call)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """The books of the Redis that the settings name. Nothing is sent before the first call."""
    client = client_of(settings)
    try:
        yield Store(client)
    finally:
        await close(client)


def opened_if_named(settings: Settings) -> AbstractAsyncContextManager[Store | None]:
    """The same; `None` where the settings name no Redis."""
    return nullcontext(None) if settings.redis_url is None else opened(settings)


def _is_the_keys(error: Exception) -> bool:
    """Whether it says nothing of the server: something of another kind lies under the key."""
    return str(error).startswith("WRONGTYPE")


@contextmanager
def translated() -> Iterator[None]:
    """Raises the library's errors as ours, and cancellations that were lost on their way: Python
    3.11 loses some within its calls (`asyncio.wait_for`, bpo-37658)."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise LedgerAway(said(error)) from error
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def said(error: BaseException) -> str:
    """An error's name and the beginning of its text."""
    return f"{type(error).__name__}: {error}"[:300]
