"""Asks the embedder over HTTP, never longer than a deadline, and not at all while it fails.

Knows texts, and tells nobody: neither logs nor errors hold any.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp
from pydantic import ValidationError

from penstock_config.base import ConfigModel
from penstock_config.embedder import (
    DEADLINE_HEADER,
    MAX_NAMES,
    NAMESPACE_HEADER,
    NEAREST_PATH,
    REMOVE_PATH,
    SIMILAR_PATH,
    VECTORS_PATH,
    EmbedderAccess,
    Match,
    NearestAnswer,
    NearestRequest,
    Refusal,
    RefusalCode,
    RemoveAnswer,
    RemoveRequest,
    SimilarAnswer,
    SimilarRequest,
    VectorAnswer,
    VectorRequest,
)
from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable, TextTooLong, Why
from penstock_sidecar.clock import Clock
from penstock_sidecar.embedding.breaker import Breaker

logger = logging.getLogger(__name__)

ASIDE_SECONDS: Final = 5.0
"""For what no request waits for."""
MAX_ANSWER_BYTES: Final = 512 * 1024
"""A thousand names with what belongs to them."""

A = TypeVar("A", bound=ConfigModel)


class EmbedderClient:
    """Of one namespace. No request waits longer than `deadline_seconds`; `session` is its owner's
    to close."""

    def __init__(
        self,
        access: EmbedderAccess,
        namespace: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        deadline_seconds: float,
    ) -> None:
        self._url = access.url.rstrip("/")
        self._headers = {
            "authorization": f"Bearer {access.token.get_secret_value()}",
            NAMESPACE_HEADER: namespace,
            "content-type": "application/json",
        }
        self._session = session
        self._clock = clock
        self._deadline_seconds = deadline_seconds
        self._breaker = Breaker()

    async def nearest(self, wanted: NearestRequest) -> Sequence[Match]:
        """The most similar first."""
        async with self._tried():
            answer = await self._asked(NEAREST_PATH, wanted, NearestAnswer, self._deadline_seconds)
        return answer.matches

    async def keep(self, vector: VectorRequest) -> None:
        """In place of an older one of the same name."""
        await self._asked(VECTORS_PATH, vector, VectorAnswer, ASIDE_SECONDS)

    async def remove(self, shelf: str, names: Sequence[str] | None) -> None:
        """From all of the shelf's partitions; `None` is all there is."""
        for some in (None,) if names is None else _portions(names):
            wanted = RemoveRequest(shelf=shelf, names=some)
            await self._asked(REMOVE_PATH, wanted, RemoveAnswer, ASIDE_SECONDS)

    async def similar(self, shelf: str, text: str, least: float) -> SimilarAnswer:
        """All that is kept in the shelf and is at least so similar, or as many as fit."""
        wanted = SimilarRequest(shelf=shelf, text=text, least=least)
        return await self._asked(SIMILAR_PATH, wanted, SimilarAnswer, ASIDE_SECONDS)

    @asynccontextmanager
    async def _tried(self) -> AsyncIterator[None]:
        """Tells the breaker how it went."""
        if not self._breaker.begins(self._clock.monotonic()):
            raise EmbedderUnavailable("paused")
        try:
            yield
        except EmbedderUnavailable as error:
            if self._breaker.failed(self._clock.monotonic()):
                logger.warning("embedder.lost", extra={"why": error.why})
            raise
        except TextTooLong:
            self._answered()
            raise
        except BaseException:
            self._breaker.gave_up()
            raise
        else:
            self._answered()

    def _answered(self) -> None:
        if self._breaker.succeeded():
            logger.info("embedder.found")

    async def _asked(
        self, path: str, wanted: ConfigModel, answer: type[A], deadline_seconds: float
    ) -> A:
        try:
            async with asyncio.timeout(deadline_seconds):
                status, body = await self._exchanged(path, wanted, deadline_seconds)
            if status == HTTPStatus.OK:
                return answer.model_validate_json(body)
            refused = Refusal.model_validate_json(body)
        except TimeoutError:
            raise _unavailable("late") from None
        except ValidationError:
            raise _unavailable("refused") from None  # it quotes what it could not read
        except (aiohttp.ClientError, OSError) as error:
            raise _unavailable("away") from error
        if refused.error is RefusalCode.TOO_LONG:
            raise TextTooLong
        raise _unavailable("refused")

    async def _exchanged(
        self, path: str, wanted: ConfigModel, deadline_seconds: float
    ) -> tuple[int, bytes]:
        headers = {**self._headers, DEADLINE_HEADER: str(int(deadline_seconds * 1000))}
        data = wanted.model_dump_json().encode("utf-8", "surrogatepass")
        async with self._session.post(
            self._url + path, data=data, headers=headers, allow_redirects=False
        ) as response:
            return response.status, await _bounded(response)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """What is longer is of no use: nothing."""
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            return b""
    return body


def _unavailable(why: Why) -> EmbedderUnavailable:
    return EmbedderUnavailable(why)


def _portions(names: Sequence[str]) -> Sequence[tuple[str, ...]]:
    return [tuple(names[at : at + MAX_NAMES]) for at in range(0, len(names), MAX_NAMES)]
