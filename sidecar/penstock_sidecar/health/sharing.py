"""Tells Redis what this sidecar met, and hears what all others did: twice a second.

    who has trouble?  one EXISTS for each provider, in one write, at rest nothing more
         └─► one script for each that has, or of whom we have news: tells, decides, tells us all

A failure is told at once, so that it is known everywhere half a second later; no request waits for
that. The one that may try what has cooled down waits for its claim. Without Redis each sidecar goes
by what it met itself, and tells it when Redis is back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple, Self

from penstock_config.breaker import (
    SCRIPT,
    SCRIPT_SHA,
    SETTLE_MS,
    Standing,
    Telling,
    Word,
    decode_standing,
    encode_telling,
    fields_of,
)
from penstock_config.layout import Group
from penstock_config.provider import Provider
from penstock_sidecar.health.breaker import Breaker, Terms, Untold
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.store import Script, Store, StoreUnavailable

LOOK_SECONDS: Final = 0.5
"""At most, between two looks: for so long, and the time of a look, two sidecars may disagree."""
QUIET_LOOK_SECONDS: Final = 0.85
"""The same where nobody has asked for `QUIET_SECONDS`: what opens is known within a second too."""
QUIET_SECONDS: Final = 10.0
JITTER: Final = 0.1
BREATH_SECONDS: Final = 0.05
"""At least: failures that come at once are told together."""
LEASE_MS: Final = 3000
"""Of a trial; renewed at each look."""
TELL: Final = Script("breakers", SCRIPT, SCRIPT_SHA)
logger = logging.getLogger(__name__)


class Known(NamedTuple):
    """What is shared of a provider."""

    terms: Terms
    fields: frozenset[str]

    @classmethod
    def of(cls, provider: Provider) -> Self:
        health = provider.health
        terms = Terms(health.failure_threshold, health.cooldown_seconds)
        return cls(terms, fields_of(model.name for model in provider.models))


@dataclass(frozen=True, slots=True)
class Place:
    """Where breakers are shared, and of which providers: those that can be asked now."""

    store: Store
    cluster: str
    providers: Mapping[str, Known]

    def key(self, provider: str) -> str:
        return Group.of_provider(self.cluster, provider).breakers

    def has(self, provider: str, field: str) -> bool:
        known = self.providers.get(provider)
        return known is not None and field in known.fields


Sent = Sequence[tuple[Breaker, Untold]]


class Sharing:
    """`where` gives the place as it is now, or `None` while no Redis is known."""

    def __init__(
        self, breakers: Breakers, where: Callable[[], Place | None], random: Random | None = None
    ) -> None:
        self._breakers = breakers
        self._where = where
        self._random = random or Random()  # noqa: S311  # spreads looks; guards nothing
        self._due_seconds = LOOK_SECONDS
        self._used_at = breakers.now()
        breakers.claims = self

    async def run(self) -> None:
        """Never ends. A Redis that is away is told of elsewhere: here nothing is logged."""
        while True:
            self._breakers.wanted.clear()
            self._due_seconds = self._pause_seconds() * self._random.uniform(1 - JITTER, 1)
            self._breakers.observe()
            if place := self._where():
                try:
                    await self._look(place)
                except Exception:  # heard of by the log; one bad look must not end all later ones
                    logger.exception("breakers.failed")
            await asyncio.sleep(min(BREATH_SECONDS, self._due_seconds))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, self._due_seconds - BREATH_SECONDS)):
                    await self._breakers.wanted.wait()

    def _pause_seconds(self) -> float:
        """Shorter while requests come: two sidecars that ask agree sooner."""
        now = self._breakers.now()
        if self._breakers.used:
            self._breakers.used, self._used_at = False, now
        self._breakers.quiet = now - self._used_at > QUIET_SECONDS
        return QUIET_LOOK_SECONDS if self._breakers.quiet else LOOK_SECONDS

    async def claim(self, breaker: Breaker) -> bool:
        """One round trip, for a request that would try what has cooled down. Without Redis each
        sidecar tries by itself."""
        place = self._where()
        if place is None or breaker.provider not in place.providers:
            return True
        standing = await self._tell(place, breaker.provider, (breaker,), claim=breaker)
        if standing is None:
            return True
        record = standing.records.get(breaker.name)
        return record is None or record.until_ms is None or record.trial_by == self._breakers.me

    async def _look(self, place: Place) -> None:
        self._breakers.forget_unless(place.has)
        providers = [*place.providers]
        asked = [place.store.command("EXISTS", place.key(each)) for each in providers]
        replies = await asyncio.gather(*asked, return_exceptions=True)
        looks = []
        for provider, reply in zip(providers, replies, strict=True):
            if isinstance(reply, StoreUnavailable):
                continue
            if isinstance(reply, BaseException):
                raise reply
            if not reply:
                self._breakers.heard(provider, place.providers[provider].terms, Standing(now=0))
            if reply or self._news(provider):
                looks.append(self._talk(place, provider))
        await asyncio.gather(*looks)

    async def _talk(self, place: Place, provider: str) -> None:
        """What is heard may be what we know better, of a success since: that is told at once."""
        known = self._breakers.of_provider(provider)
        going_on = {each for each in known if each.on_trial or each.due_ms() is not None}
        if await self._tell(place, provider, self._news(provider) | going_on) is None:
            return
        if news := self._news(provider):
            await self._tell(place, provider, news)

    def _news(self, provider: str) -> set[Breaker]:
        self._breakers.sum_up(provider)
        return {each for each in self._breakers.of_provider(provider) if each.has_news()}

    async def _tell(
        self, place: Place, provider: str, speaking: Iterable[Breaker], claim: Breaker | None = None
    ) -> Standing | None:
        """What all know then; `None` where Redis is away."""
        words, sent = self._words(speaking, claim)
        telling = encode_telling(Telling(by=self._breakers.me, words=words))
        try:
            reply = await place.store.script(TELL, (place.key(provider),), (telling,))
        except (StoreUnavailable, asyncio.CancelledError) as error:
            perhaps = not isinstance(error, StoreUnavailable) or error.sent
            for breaker, untold in sent:
                breaker.not_sent(untold, perhaps=perhaps)
            if isinstance(error, StoreUnavailable):
                return None
            raise
        for breaker, _ in sent:
            breaker.sent()
        standing = decode_standing(reply)
        if standing is not None:
            known = place.providers[provider]
            self._breakers.heard(provider, known.terms, standing.only(known.fields))
            self._come_back_when_due(provider, standing)
        return standing

    def _words(
        self, speaking: Iterable[Breaker], claim: Breaker | None
    ) -> tuple[tuple[Word, ...], Sent]:
        now, words, sent = self._breakers.now(), [], []
        for breaker in speaking:
            trying = breaker is claim or breaker.on_trial
            word, untold = breaker.send(now, claim_ms=LEASE_MS if trying else None)
            words.append(word)
            sent.append((breaker, untold))
        return tuple(words), sent

    def _come_back_when_due(self, provider: str, standing: Standing) -> None:
        for breaker in self._breakers.of_provider(provider):
            if (due_ms := breaker.due_ms()) is not None:
                seconds = (due_ms + SETTLE_MS - standing.now) / 1000
                self._due_seconds = min(self._due_seconds, max(BREATH_SECONDS, seconds))
