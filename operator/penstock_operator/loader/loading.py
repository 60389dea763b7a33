"""Into memory: asked for, and found there."""

import asyncio
from collections.abc import Mapping
from typing import Final

from penstock_operator.loader import note
from penstock_operator.loader.board import Board
from penstock_operator.loader.errors import Late
from penstock_operator.loader.ollama import Ollama
from penstock_operator.loader.verdict import Fact
from penstock_operator.loader.wire import Running

LOAD_SECONDS: Final = 1800
"""Ollama itself gives up what stands still for OLLAMA_LOAD_TIMEOUT, five minutes by default."""


async def load(ollama: Ollama, board: Board, name: str, fact: Fact) -> None:
    """Raises `OllamaError`."""
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            order = fact.order
            await ollama.load(order.name, fact.keep_alive_seconds, embeddings=order.embeddings)
            alias = await _alias(ollama, name, await ollama.running())
    except TimeoutError as error:
        msg = f"not loaded within {LOAD_SECONDS} s"
        raise Late(msg) from error
    digest = fact.installed.digest if fact.installed is not None else ""
    now = asyncio.get_running_loop().time()
    board.notes[name] = note.loaded(board.note(name), digest, alias, now)


async def _alias(ollama: Ollama, name: str, running: Mapping[str, Running]) -> str:
    """Models of the same weights, as one made by a system prompt alone, run as one, which
    `/api/ps` lists under the name that came first."""
    if name in running or not running:
        return ""
    weights = await ollama.weights(name)
    for other in running:
        if weights and await ollama.weights(other) == weights:
            return other
    return ""
