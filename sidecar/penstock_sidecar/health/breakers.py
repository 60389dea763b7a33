"""What routing asks of health, and tells it: which candidates fail, over all configurations.

Nothing here waits but `Trial` and `Trials`, and only where a cooldown has just ended. What becomes
known is shared in the background (`sharing`).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from penstock_config.breaker import PROVIDER, Standing, breaker_field
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import UpstreamError
from penstock_sidecar.health.breaker import CLOSED, Breaker, Phase, State, Terms
from penstock_sidecar.health.faults import ENDPOINTS, counts
from penstock_sidecar.model import Api, Candidate

MAX_REMEMBERED: Final = 4096
"""Breakers at a time; beyond it the one that was met first is forgotten."""
Key = tuple[str, str]
"""Provider and field."""


class BreakerObserver(Protocol):
    """Hears of what changes, for metrics."""

    def breaker_changed(self, provider: str, model: str, endpoint: str, phase: Phase) -> None: ...


class Unobserved:
    """A `BreakerObserver` that has no ears."""

    def breaker_changed(self, provider: str, model: str, endpoint: str, phase: Phase) -> None:
        """Nobody asked."""


class Claims(Protocol):
    """Who decides which sidecar tries what may work again."""

    async def claim(self, breaker: Breaker) -> bool: ...


class Alone:
    """`Claims` of a sidecar that knows no others."""

    async def claim(self, breaker: Breaker) -> bool:  # noqa: ARG002  # the seam's
        return True


class Breakers:
    """By provider, model and endpoint, each until a success; `me` names this process."""

    def __init__(
        self,
        clock: Clock,
        me: str = "alone",
        observer: BreakerObserver | None = None,
        max_remembered: int = MAX_REMEMBERED,
    ) -> None:
        self.me: Final = me
        self.claims: Claims = Alone()
        self.wanted: Final = asyncio.Event()
        """Something happened that others should know soon."""
        self.quiet = False
        """Nobody asked for long: set by who looks, ended by the next answer."""
        self.used = False
        """Somebody asked since the last look."""
        self._clock = clock
        self._observer = observer or Unobserved()
        self._max_remembered = max_remembered
        self._known: dict[Key, Breaker] = {}
        self._open: dict[Key, Breaker] = {}
        """Those that are not closed."""
        self._shown: dict[Key, Phase] = {}

    def state(self, candidate: Candidate, api: Api) -> State:
        """The worse of the model's and the provider's own."""
        if not self._open:
            return CLOSED
        now, provider = self._clock.monotonic(), candidate.provider.id
        own = self._open.get((provider, _field(candidate, api)))
        found = own.state(now) if own else CLOSED
        whole = self._open.get((provider, PROVIDER))
        if whole and now < whole.until:  # nobody tries a provider as such: it is left to lapse
            return State("open", max(whole.until, found.until))
        return found

    def failed(self, candidate: Candidate, error: UpstreamError, api: Api) -> None:
        """Counts the error of an attempt that reached out, if it speaks against the candidate."""
        if not counts(error):
            return
        self._stir()
        breaker = self._of(candidate, api)
        now, waits = self._clock.monotonic(), error.retry_after_seconds or 0
        if breaker.fail(now, waits, error.error_type):
            self._changed(breaker)
        self.wanted.set()

    def succeeded(self, candidate: Candidate, api: Api, began: float) -> None:
        """`began` is when the call did, on this process's clock."""
        self._stir()
        breaker, now = self._of(candidate, api), self._clock.monotonic()
        if breaker.succeed(now, began):
            self._changed(breaker)
            self.wanted.set()
        whole = self._open.get((candidate.provider.id, PROVIDER)) if self._open else None
        if whole and whole.succeed(now, began):
            self._changed(whole)
            self.wanted.set()

    def trial(self, candidates: Sequence[Candidate], api: Api) -> "Trial":
        """For the request that is about to ask these, in this order."""
        return Trial(self, candidates, api)

    def trials(self, api: Api) -> "Trials":
        """For the request that is about to ask several at once."""
        return Trials(self, api)

    async def claim(self, candidate: Candidate, api: Api) -> Breaker | None:
        """The breaker, if it is ours to try; `None` where another request does."""
        breaker = self._of(candidate, api)
        breaker.on_trial = True
        try:
            if await self.claims.claim(breaker):
                return breaker
        except BaseException:
            self.give_up(breaker)
            raise
        breaker.on_trial = False
        return None

    def give_up(self, breaker: Breaker) -> None:
        """A request that tried it has ended; it matters if nothing came of it."""
        if breaker.give_up():
            self.wanted.set()

    def now(self) -> float:
        return self._clock.monotonic()

    def sum_up(self, provider: str) -> None:
        """Any answer of a model says that its provider is there."""
        whole = self._known.get((provider, PROVIDER))
        if whole is not None:
            latest = max(self.of_provider(provider), key=lambda each: each.succeeded_at)
            whole.succeeded_at, whole.began_at = latest.succeeded_at, latest.began_at

    def of_provider(self, provider: str) -> Iterator[Breaker]:
        return (breaker for key, breaker in self._known.items() if key[0] == provider)

    def heard(self, provider: str, terms: Terms, standing: Standing) -> None:
        """What all know of a provider."""
        now = self._clock.monotonic()
        for field, record in standing.records.items():
            breaker = self._named((provider, field), terms)
            if breaker.heard(record, now, standing.now, self.me):
                self._changed(breaker)
        for breaker in self.of_provider(provider):
            if breaker.name not in standing.records and breaker.lost():
                self.wanted.set()

    def forget_unless(self, may_be_asked: Callable[[str, str], bool]) -> None:
        """Of a provider and a field: others are told nothing of what nobody can ask any more."""
        for key in [key for key in self._known if not may_be_asked(*key)]:
            self._forget(key)

    def observe(self) -> None:
        """Cooldowns that ended: no event tells of them."""
        now = self._clock.monotonic()
        for key, breaker in self._open.items():
            self._show(key, _phase(breaker, now))

    def _stir(self) -> None:
        self.used = True
        if self.quiet:
            self.quiet = False
            self.wanted.set()

    def _of(self, candidate: Candidate, api: Api) -> Breaker:
        health = candidate.provider.health
        terms = Terms(health.failure_threshold, health.cooldown_seconds)
        breaker = self._named((candidate.provider.id, _field(candidate, api)), terms)
        breaker.terms = terms
        return breaker

    def _named(self, key: Key, terms: Terms) -> Breaker:
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= self._max_remembered:
                self._forget(next(iter(self._known)))
            found = self._known[key] = Breaker(*key, terms)
        return found

    def _forget(self, key: Key) -> None:
        del self._known[key]
        if self._open.pop(key, None):
            self._show(key, "closed")

    def _changed(self, breaker: Breaker) -> None:
        key = breaker.provider, breaker.name
        if breaker.until:
            self._open[key] = breaker
        else:
            self._open.pop(key, None)
        self._show(key, _phase(breaker, self._clock.monotonic()))

    def _show(self, key: Key, phase: Phase) -> None:
        if phase == self._shown.get(key, "closed"):
            return
        provider, field = key
        endpoint, _, model = field.partition("/")
        self._shown[key] = phase
        if phase == "closed":
            del self._shown[key]
        self._observer.breaker_changed(provider, model, endpoint, phase)


class Trial:
    """`async with`: the candidates in the order to ask. Where the first has cooled down and nobody
    tries it, this request does; where somebody does, the next that works is first."""

    __slots__ = ("_api", "_breakers", "_candidates", "_held")

    def __init__(self, breakers: Breakers, candidates: Sequence[Candidate], api: Api) -> None:
        self._breakers = breakers
        self._candidates = candidates
        self._api = api
        self._held: Breaker | None = None

    async def __aenter__(self) -> Sequence[Candidate]:
        for index, candidate in enumerate(self._candidates):
            phase = self._breakers.state(candidate, self._api).phase
            if phase == "half-open":
                self._held = await self._breakers.claim(candidate, self._api)
            if phase == "closed" or self._held is not None:
                return (*self._candidates[index:], *self._candidates[:index])
        return self._candidates

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._held is not None:
            self._breakers.give_up(self._held)


class Trials:
    """`with`: whom a request may ask beside others. Those that have cooled down and that nobody
    tries, it does, until it ends."""

    __slots__ = ("_api", "_breakers", "_held")

    def __init__(self, breakers: Breakers, api: Api) -> None:
        self._breakers = breakers
        self._api = api
        self._held: list[Breaker] = []

    async def take(self, candidate: Candidate) -> bool:
        """Whether it works, or is this request's to try."""
        phase = self._breakers.state(candidate, self._api).phase
        if phase != "half-open":
            return phase == "closed"
        held = await self._breakers.claim(candidate, self._api)
        if held is not None:
            self._held.append(held)
        return held is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._held:
            self._breakers.give_up(self._held.pop())


def _phase(breaker: Breaker, now: float) -> Phase:
    """As it is shown. Nobody tries a provider as such: its own lapses."""
    phase = breaker.state(now).phase
    return "closed" if phase == "half-open" and breaker.name == PROVIDER else phase


def _field(candidate: Candidate, api: Api) -> str:
    return breaker_field(ENDPOINTS[api], candidate.model.name)
