"""Shortens the prompts of a policy's requests, off the loop where they are long."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from penstock_config.compression import Compression
from penstock_sidecar.compression.shorten import Shortened, shortened
from penstock_sidecar.metering.estimate import BYTES_PER_TOKEN
from penstock_sidecar.model import CompressionResult, Remembered, Request, Resumed
from penstock_sidecar.normalise.rewritten import rewritten

SHORT_BYTES: Final = 8 * 1024
"""Of a body that takes well under a millisecond."""
MAX_BYTES: Final = 4 * 1024 * 1024
"""Longer ones go as they are: they would keep others waiting."""
APIS: Final = frozenset(
    {"openai-chat", "openai-responses", "anthropic-messages", "ollama-chat", "ollama-generate"}
)


@dataclass(frozen=True, slots=True, repr=False)
class Compressed:
    """A shorter request. Tokens are of all that is sent but pictures."""

    request: Request
    result: CompressionResult


class Compressor:
    """Of one policy. `close` ends its thread."""

    def __init__(self, rules: Compression) -> None:
        self._rules = rules
        self._thread = ThreadPoolExecutor(1, "compression")

    async def compressed(self, request: Request) -> Compressed | None:
        """None where the prompt stays as it is."""
        size_bytes = len(request.body) - request.inline_bytes
        if request.api not in APIS or size_bytes > MAX_BYTES:
            return None
        if size_bytes <= SHORT_BYTES:
            return _worked(request, self._rules)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, _worked, request, self._rules)

    def close(self) -> None:
        """Requests have ended."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _worked(request: Request, rules: Compression) -> Compressed | None:
    found = shortened(request.api, request.document, rules)
    if found is None:
        return None
    shorter = _with_places(rewritten(request, found.document), found)
    return Compressed(shorter, CompressionResult(_tokens(request), _tokens(shorter)))


def _with_places(request: Request, found: Shortened) -> Request:
    """What a session or a former response went before is counted without what is left out."""
    remembered, resumed = request.remembered, request.resumed
    if remembered:
        own = range(remembered.first, remembered.first + remembered.items)
        gone = sum(place in found.left_out for place in own)
        remembered = Remembered(remembered.first, remembered.items - gone)
    if resumed:
        gone = sum(place in found.left_out for place in range(resumed.items))
        resumed = Resumed(resumed.id, resumed.items - gone)
    return replace(request, remembered=remembered, resumed=resumed)


def _tokens(request: Request) -> int:
    return -(-(len(request.body) - request.inline_bytes) // BYTES_PER_TOKEN)
