"""The answers of one policy: the same request, asked again in the same scope, gets what it got.

```
question -> lookup -> (serve) or (call upstream, collector.add for each chunk) -> store
```
Nothing here can fail a request: what Redis does not give is a miss, what it does not take is lost.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from penstock_config.cache import Cache
from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Entry, Gist
from penstock_sidecar.cache.flight.part import Fence
from penstock_sidecar.cache.forms import Form, form_of
from penstock_sidecar.cache.hit import Hit, Level
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.meaning import Semantic
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.removal import Removal, Which
from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Caller, Candidate, Request

JITTER: Final = 0.1
"""Lifetimes differ by up to a tenth, so that what came together does not go together."""


class AnswerCache:
    """`entries` is None without a Redis: then the cache is off. `semantic` is None where that level
    is."""

    def __init__(  # put together in one place, `build`
        self,
        cache: Cache,
        keys: Keys,
        entries: Entries | None,
        clock: Clock,
        semantic: Semantic | None = None,
        removal: Removal | None = None,
    ) -> None:
        self._cache = cache
        self._keys = keys
        self._entries = entries
        self._clock = clock
        self._semantic = semantic
        self._removal = removal
        self._fresh_share = 1 - (cache.refresh_ahead_percent or 0) / 100
        """Of an answer's life, before a hit renews it."""

    @property
    def on(self) -> bool:
        """The policy has any level."""
        return bool(self._cache.exact or self._cache.normalised or self._cache.semantic)

    def question(
        self, request: Request, caller: Caller, target: str, kind: str = ""
    ) -> Question | None:
        """None where the cache is off or must not be asked, nor told, about this request."""
        form = form_of(request.api)
        if form is None or self._entries is None or self._bypassed(request, form):
            return None
        question = self._keys.question(request, caller, target, kind, form)
        if question is None or self._findable(question):
            return question
        return replace(question, findable=False)

    async def lookup(self, question: Question) -> Hit | None:
        """An answer that is young enough for the policy and for the caller."""
        if self._entries is None or not question.looked_up:
            return None
        hit = await self._same(self._entries, question)
        if hit is None and self._semantic:
            hit = await self._semantic.nearest(question, same=not self._by_name(question))
        return hit

    def collector(self, question: Question, candidate: Candidate) -> Collector:
        """Keeps nothing where the caller forbids it, where nobody could find or learn from it, or
        where another tier serves than was meant: an answer lies only under what gave it."""
        collector = Collector(question, candidate, self._cache.max_entry_bytes)
        targets = (f"tier:{candidate.tier_id}", f"model:{candidate.model.name}")
        useful = question.findable or self._gist(question)
        if not (question.kept and useful and question.target in targets):
            collector.give_up()
        return collector

    async def store(
        self, collector: Collector, cost_micro_usd: int, fence: Fence | None = None
    ) -> bool:
        """Keeps the answer if it is whole and small enough, and the fence still held; says whether
        a lookup finds it, here at least. Never raises."""
        collected = collector.collected()
        if self._entries is None or collected is None:
            return False
        question, candidate, now = collector.question, collector.candidate, self._clock.utc()
        entry = Entry(
            body=collected.body,
            provider=candidate.provider.id,
            model=candidate.model.name,
            tier=candidate.tier,
            usage=collected.usage,
            cost_micro_usd=cost_micro_usd,
            stored_at=now,
            exact=question.exact,
            gist=self._gist(question),
            most_seconds=question.request.cache_control.store_seconds,
        )
        lifetime_ms = int(self._longest_seconds(question) * 1000)
        place = question.shelves, question.name
        expires_at_ms = int(now * 1000) + lifetime_ms
        try:
            laid = await self._entries.put(place, entry, lifetime_ms, fence)
        except asyncio.CancelledError:
            # The caller has all of the answer and leaves; Redis has it too, or will in a moment.
            self._tell(question, entry, expires_at_ms, ())
            raise
        if laid.dropped is not None:
            self._tell(question, entry, expires_at_ms, laid.dropped)
        return not laid.fenced

    async def remove(self, caller: Caller, which: Which) -> int:
        """Takes away answers that the caller could be given; says how many. Raises what `Removal`
        does."""
        shelves = self._keys.shelves(caller)
        if self._removal is None or shelves is None:
            return 0
        return await self._removal.remove(shelves, which)

    async def close(self) -> None:
        if self._semantic:
            await self._semantic.close()

    def _tell(
        self, question: Question, entry: Entry, expires_at_ms: int, dropped: Sequence[str]
    ) -> None:
        if self._semantic:
            self._semantic.stored(question, entry, expires_at_ms)
            self._semantic.removed(question.shelves, dropped)

    def _bypassed(self, request: Request, form: Form) -> bool:
        control = request.cache_control
        return (
            not self.on
            or (control.no_cache and control.no_store)
            or (self._semantic is None and self._drawn(request, form))
            or not form.keeps(request)
        )

    def _drawn(self, request: Request, form: Form) -> bool:
        """Its answer is left to chance, and the policy gives none such at the first two levels; the
        third has a rule of its own."""
        return self._cache.require_deterministic and not _deterministic(request, form)

    def _by_name(self, question: Question) -> bool:
        """The first two levels look for its answer."""
        has_levels = bool(self._cache.exact or self._cache.normalised)
        return has_levels and not self._drawn(question.request, question.form)

    def _findable(self, question: Question) -> bool:
        """By some level. In shadow the third gives none, and only learns from what is kept."""
        semantic = self._cache.semantic
        by_meaning = semantic is not None and not semantic.shadow
        return self._by_name(question) or (by_meaning and self._gist(question) is not None)

    def _gist(self, question: Question) -> Gist | None:
        return self._semantic.gist(question) if self._semantic else None

    async def _same(self, entries: Entries, question: Question) -> Hit | None:
        """By the first two levels. What is remembered and no longer fits may have a successor."""
        if not self._by_name(question):
            return None
        entry = entries.remembered(question.key)
        if entry and (hit := self._found(question, entry)):
            return hit
        entry = await entries.get(question.shelves, question.name)
        return self._found(question, entry) if entry else None

    def _found(self, question: Question, entry: Entry) -> Hit | None:
        """By the first level whose lifetime the entry has not outlived. That is the policy's own,
        which may have been shortened since; the caller's demand comes on top."""
        age_seconds = max(0.0, self._clock.utc() - entry.stored_at)
        wanted = question.request.cache_control.max_age_seconds
        lives = self._lives(question, entry)
        level = next((level for level, seconds in lives.items() if age_seconds < seconds), None)
        if level is None or (wanted is not None and age_seconds >= wanted):
            return None
        id_ = self._keys.id(question.key)
        due = age_seconds >= max(lives.values()) * self._fresh_share
        return Hit(entry, question.form, level, id_, int(age_seconds), due=due)

    def _lives(self, question: Question, entry: Entry) -> dict[Level, float]:
        """How many seconds it may be found by each of the first two levels."""
        exact, normalised = self._cache.exact, self._cache.normalised
        most_seconds = math.inf if entry.most_seconds is None else entry.most_seconds
        jitter = _jitter(question)
        lives: dict[Level, float] = {}
        if exact and entry.exact == question.exact:
            lives["hit-exact"] = min(exact.ttl_seconds * jitter, most_seconds)
        if normalised:
            lives["hit-normalised"] = min(normalised.ttl_seconds * jitter, most_seconds)
        return lives

    def _longest_seconds(self, question: Question) -> float:
        levels = (self._cache.exact, self._cache.normalised, self._cache.semantic)
        longest = max(level.ttl_seconds for level in levels if level) * _jitter(question)
        wanted = question.request.cache_control.store_seconds
        return longest if wanted is None else min(longest, wanted)


def _jitter(question: Question) -> float:
    """A factor about 1: the name's own hash serves as chance."""
    chance = int(question.name[-8:], 16) / 0xFFFF_FFFF
    return 1 + JITTER * (2 * chance - 1)


def _deterministic(request: Request, form: Form) -> bool:
    """Temperature is said to be 0; none said means 1 to most providers."""
    temperature = form.temperature(request.document)
    return not isinstance(temperature, bool) and temperature == 0
