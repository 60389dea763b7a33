"""What changes the models volume: pulls, models that are made, garbage. One at a time."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final

from penstock_operator.loader.blobs import upload
from penstock_operator.loader.board import Amount, Board
from penstock_operator.loader.errors import Late, Refused
from penstock_operator.loader.made import Made, Register
from penstock_operator.loader.naming import canonical
from penstock_operator.loader.ollama import Ollama
from penstock_operator.loader.pulling import Pull
from penstock_operator.loader.recipe import Recipe, recipe, stamp
from penstock_operator.loader.volume import Volume
from penstock_operator.loader.wire import Installed
from penstock_operator.ollama.models_file import ModelOrder

logger = logging.getLogger("penstock_operator.loader")
FORMER: Final = ".former"
"""Ends the tag of what a model was before. With OLLAMA_NOPRUNE a model that is made anew leaves its
layers behind; one that is deleted does not. What is left of it by accident is garbage."""
ANSWER_SECONDS: Final = 60
"""For what Ollama does without asking anybody."""


class Transfers:
    """Raises `OllamaError`. Who calls it holds the volume's lock."""

    def __init__(
        self, ollama: Ollama, board: Board, volume: Volume, register: Register, stall_seconds: float
    ) -> None:
        self._ollama = ollama
        self._board = board
        self._volume = volume
        self._register = register
        self._stall_seconds = stall_seconds

    async def pull(self, order: ModelOrder, within_seconds: int) -> None:
        """Another replica may have been first, just before the volume was ours."""
        name = canonical(order.name)
        async with _within(within_seconds, "pulled"):
            if name not in await self._ollama.installed():
                await self._pull(order.name, name)
                await asyncio.to_thread(self._volume.sweep, time.time())

    async def create(self, order: ModelOrder, within_seconds: int) -> None:
        made = recipe(order, self._volume.path)
        async with _within(within_seconds, "made"):
            await self._create(made, canonical(order.name))

    async def delete(self, name: str) -> None:
        """Out of memory first: a model without files would stay there."""
        async with _within(ANSWER_SECONDS, "deleted"):
            if name in await self._ollama.running():
                await self._ollama.unload(name)
            await self._ollama.delete(name)
        logger.info("model.deleted", extra={"model": name})

    async def _pull(self, name: str, of: str) -> None:
        """`of` is the model that it is pulled for."""
        self._board.busy[of] = "Pulling"
        await Pull(self._ollama, self._stall_seconds, self._tell(of)).run(name)
        logger.info("model.pulled", extra={"model": name})

    async def _create(self, made: Recipe, name: str) -> None:
        installed = await self._ollama.installed()
        if self._is_made(made, installed.get(name)):
            return
        if made.base is not None and canonical(made.base) not in installed:
            await self._pull(made.base, name)
        self._board.busy[name] = "Creating"
        before = stamp(made)
        digests = {path: await upload(self._ollama, path, self._tell(name)) for path in made.paths}
        former = f"{name}{FORMER}" if name in installed else None
        if former is not None:
            await self._ollama.copy(name, former)
        async with aclosing(self._ollama.create(made.body(digests))) as lines:
            async for _ in lines:
                pass
        if former is not None:
            await self._ollama.delete(former)
        found = (await self._ollama.installed()).get(name)
        if found is None:
            msg = f"Ollama made {made.model}, and does not list it"
            raise Refused(msg)
        self._register.note(name, Made(stamp=before, digest=found.digest))
        logger.info("model.created", extra={"model": made.model})

    def _is_made(self, made: Recipe, found: Installed | None) -> bool:
        """By another replica of the volume."""
        if found is None:
            return False
        return self._register.is_made(made.model, Made(stamp=stamp(made), digest=found.digest))

    def _tell(self, name: str) -> Callable[[Amount], None]:
        def tell(amount: Amount) -> None:
            self._board.amounts[name] = amount

        return tell


@asynccontextmanager
async def _within(seconds: int, done: str) -> AsyncIterator[None]:
    """As `asyncio.timeout`, with words."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        msg = f"not {done} within {seconds} s"
        raise Late(msg) from error
