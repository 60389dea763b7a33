"""Warms the cache of one policy: by prompts from its operator, by what is asked most, and by what
usually follows.

Owns what goes on beside requests: `start` begins it, `close` ends it.
"""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import Final

from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.errands import Errands
from penstock_sidecar.model import Caller, Request
from penstock_sidecar.renewal import Renewals
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.warming.asking import Asking, Serve
from penstock_sidecar.warming.following import Following
from penstock_sidecar.warming.known import Known
from penstock_sidecar.warming.popular import Popular
from penstock_sidecar.warming.prompts import Prompts

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
"""Between two looks at what is asked most."""
MOST_AHEAD: Final = 16
"""Requests that were foreseen and wait."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Of warming; what is None the policy does not want."""

    prompts: Prompts | None
    popular: Popular | None
    following: Following | None


class Warming:
    """`renewals` are the pipeline's."""

    def __init__(
        self,
        kinds: Kinds,
        asking: Asking,
        renewals: Renewals,
        known: Known,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._kinds = kinds
        self._asking = asking
        self._renewals = renewals
        self._known = known
        self._look_seconds = look_seconds
        self._ahead = Errands(MOST_AHEAD)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, serve: Serve) -> None:
        """`serve` is the request's whole way."""
        if self._kinds.prompts:
            self._tasks.append(asyncio.create_task(self._kinds.prompts.run(serve)))
        if self._kinds.popular:
            self._tasks.append(asyncio.create_task(self._renew(self._kinds.popular, serve)))

    def asked(self, question: Question, serve: Serve) -> None:
        """Hears of each question that a caller asks. Returns at once."""
        popular, following = self._kinds.popular, self._kinds.following
        if not (popular or following) or self._beside(question):
            return
        self._known.add(question)
        if popular:
            popular.asked(question)
        if following and (key := following.asked(question)):
            self._foresee(key, question.caller, serve)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._ahead.close()

    def _beside(self, question: Question) -> bool:
        """Nobody asked: it warms or renews. Or it goes on from turns that it would repeat, or
        nobody would find what it gets."""
        request = question.request
        shared = question.findable and question.looked_up and question.kept
        return bool(
            not shared or self._asking.owns(request) or request.resumed or request.remembered
        )

    def _foresee(self, key: str, caller: Caller, serve: Serve) -> None:
        """Nobody pays for what another one may ask."""
        question = self._known.get(key)
        if question and question.caller == caller:
            self._ahead.add(partial(self._ask, question.request, serve))

    async def _ask(self, request: Request, serve: Serve) -> None:
        await self._asking.ask(request, serve)

    async def _renew(self, popular: Popular, serve: Serve) -> None:
        """Never ends. A Redis that is away is told of elsewhere."""
        while True:
            await asyncio.sleep(self._look_seconds)
            try:
                for question in await popular.due():
                    if self._renewals.add(question, serve):
                        popular.tried(question)
            except StoreUnavailable:
                continue
            except Exception as error:  # noqa: BLE001  # the log hears; one look must not end all
                extra = {"error": type(error).__name__}
                logger.error("warming.look_failed", extra=extra)  # noqa: TRY400  # may quote
