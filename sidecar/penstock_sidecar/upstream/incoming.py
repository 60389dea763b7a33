"""A provider's response while it comes in: bounded in time and size, its failures translated."""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

import aiohttp

from penstock_sidecar.errors import (
    StreamBroken,
    UpstreamForeign,
    UpstreamLost,
)
from penstock_sidecar.upstream.deadlines import Deadlines
from penstock_sidecar.upstream.watch import Watch

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
MAX_VECTORS_BYTES: Final = 40 * 1024 * 1024
"""2,048 vectors of 3,072 dimensions, the most that OpenAI makes at once, have 32 MiB in base64."""
DRAIN_SECONDS: Final = 0.1


class Source(Protocol):
    """What the dialects need of a response."""

    @property
    def label(self) -> str: ...

    async def read(self) -> bytes: ...

    async def read_all(self) -> bytes: ...

    def content_came(self) -> None: ...

    async def drain(self) -> None: ...


class Incoming:
    """`label` names the candidate in errors."""

    __slots__ = (
        "_content",
        "_deadlines",
        "_label",
        "_loop",
        "_max_bytes",
        "_response",
        "_size",
        "_watch",
    )

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        deadlines: Deadlines,
        label: str,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._label = label
        self._max_bytes = max_bytes
        self._response = response
        self._content = response.content
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._size = 0
        self._watch = Watch(self._give_up)

    @property
    def label(self) -> str:
        return self._label

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def require(self, content_type: str) -> None:
        """Raises `UpstreamForeign` for another type; none at all is let pass."""
        found = self._response.headers.get("content-type", content_type)
        if found.partition(";")[0].strip().lower() != content_type:
            raise UpstreamForeign(
                f"{self.label} answers in another format than {content_type}: check baseURL"
            )

    def content_came(self) -> None:
        """From now on it is the pauses that are bounded."""
        self._deadlines.content_came()

    async def read(self) -> bytes:
        """What has come since, or comes next; empty at the end. Raises `UpstreamError`."""
        content = self._content
        if content.at_eof():
            return b""
        try:
            data = content.read_nowait() or await self._wait()
        except TimeoutError:  # an `OSError`; the watch gave up between two reads
            raise self._deadlines.error(self.label, self._loop.time()) from None
        except (aiohttp.ClientError, OSError) as error:
            data = self._unread()
            if not data:
                raise UpstreamLost(f"the connection to {self.label} broke off") from error
        self._size += len(data)
        if self._size > self._max_bytes:
            raise StreamBroken(f"{self.label} sent more than {self._max_bytes} bytes")
        return data

    async def read_all(self) -> bytes:
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        return b"".join(pieces)

    async def drain(self) -> None:
        """Wait shortly for the response's own end, so that its connection can serve again."""
        if self._content.is_eof():
            return
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while await self._content.readany():
                    pass
        except (TimeoutError, aiohttp.ClientError, OSError):
            return  # the answer is complete; only the connection is not reused

    def close(self) -> None:
        """An unfinished response ends here, its connection with it."""
        self._watch.close()
        self._response.close()

    async def _wait(self) -> bytes:
        self._watch.begin(self._deadlines.due(self._loop.time()))
        try:
            return await self._content.readany()
        except TimeoutError:
            raise self._deadlines.error(self.label, self._loop.time()) from None
        finally:
            self._watch.over()

    def _unread(self) -> bytes:
        """What came before its connection broke off: aiohttp says the error first."""
        return self._content._read_nowait(-1)  # noqa: SLF001  # all others raise it

    def _give_up(self) -> None:
        """Whoever reads hears it."""
        self._content.set_exception(TimeoutError())
