"""Asks the prompts that the operator queues, a few at a time."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

import orjson

from penstock_config.cache_layout import PROMPT, REQUEST
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.warming.asking import Asking, Serve
from penstock_sidecar.warming.claims import Claimed, Claims

logger = logging.getLogger(__name__)

AT_ONCE: Final = 2
LOOK_SECONDS: Final = 5.0
"""Between two looks at an empty stream, less up to a fifth: sidecars do not look at once."""
JITTER: Final = 0.2


class Prompts:
    """`run` never ends; who cancels it leaves what it claimed to other sidecars."""

    def __init__(
        self, claims: Claims, asking: Asking, random: Random, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._claims = claims
        self._asking = asking
        self._random = random
        self._look_seconds = look_seconds

    async def run(self, serve: Serve) -> None:
        while True:
            if not await self._look(serve):
                spread = self._random.uniform(1 - JITTER, 1)
                await asyncio.sleep(self._look_seconds * spread)

    async def _look(self, serve: Serve) -> bool:
        """Whether there may be more at once. A Redis that is away is told of elsewhere."""
        found: Sequence[Claimed] = ()
        try:
            found = await self._claims.take(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for claimed in found:
                    group.create_task(self._ask(claimed, serve))
        except* StoreUnavailable:
            found = ()
        except* Exception as errors:  # noqa: BLE001  # the log hears; one prompt must not end all
            kinds = sorted({type(error).__name__ for error in errors.exceptions})
            logger.error("warming.failed", extra={"errors": kinds})  # noqa: TRY400  # may quote one
        return len(found) == AT_ONCE

    async def _ask(self, claimed: Claimed, serve: Serve) -> None:
        """What is refused or fails is left, to be claimed again when its time is over."""
        try:
            request = request_of(claimed.fields)
        except MalformedRequest as error:
            logger.warning("warming.malformed", extra={"param": error.param})
        else:
            if not await self._asking.ask(request, serve):
                return
        await self._claims.done(claimed)


def request_of(fields: Mapping[bytes, bytes]) -> Request:
    """From an entry's fields, as `cache_layout.warming` says. Raises `MalformedRequest`."""
    body = fields.get(REQUEST.encode())
    if body is None:
        prompt = fields.get(PROMPT.encode())
        if prompt is None:
            raise MalformedRequest(f"neither `{PROMPT}` nor `{REQUEST}` is given", param=PROMPT)
        turn = {"role": "user", "content": prompt.decode(errors="replace")}
        body = orjson.dumps({"model": "auto", "messages": [turn]})
    return parse_chat(body, {}, "")
