"""A month of requests in virtual time: the real router, before models whose merits are known."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from penstock_cli.workspace import compile_files
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Strategy
from penstock_sidecar.errors import UpstreamUnavailable
from penstock_sidecar.metering.cost import cost_pico_usd
from penstock_sidecar.metering.estimate import price_of
from penstock_sidecar.model import Caller, Candidate, Usage
from penstock_sidecar.routing.router import Router
from penstock_sidecar.routing.seen import Seen
from tests.eval.month.books import Books
from tests.eval.month.traffic import Visit
from tests.eval.month.truth import DAY_SECONDS, HERE, HOUR_SECONDS, Truth

NAMESPACE: Final = "platform"
CALLER: Final = Caller(NAMESPACE, "shop", "shop-0")
MUCH_LEFT: Final = 0.2
LITTLE_LEFT: Final = 0.05
"""Of a day: it is used up."""
API: Final = "openai-chat"
COMPLAINTS: Final = 0.1
"""So many wrong answers are told of by users."""


class VirtualClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


@dataclass(slots=True)
class Month:
    """What became of all requests."""

    requests: int = 0
    right: int = 0
    pico_usd: int = 0
    unserved: int = 0
    used_up: int = 0
    """Requests that found a free plan with next to nothing left of its day."""
    unspread: int = 0
    """Of these, with another free plan that would have done and had much left."""
    served_by: Counter[str] = field(default_factory=Counter)

    @property
    def share_right(self) -> float:
        return self.right / self.requests

    @property
    def usd_per_thousand(self) -> float:
        return self.pico_usd / 1e12 / self.requests * 1000


def configuration(strategy: Strategy | None = None) -> SidecarConfig:
    """The month's platform, compiled as the operator does; all tiers with one `strategy`."""
    found = compile_files((str(HERE / "platform.yaml"),), lambda _: None)
    assert not found.errors, found.errors
    config = found.compiled.configs[NAMESPACE]
    if strategy is None:
        return config
    tiers = tuple(tier.model_copy(update={"strategy": strategy}) for tier in config.tiers)
    return config.model_copy(update={"tiers": tiers})


class Simulation:
    """Routes visits by the platform's policy."""

    def __init__(self, config: SidecarConfig, truth: Truth, random: Random) -> None:
        [policy] = config.policies
        self._truth, self._random = truth, random
        self._clock = VirtualClock()
        self._books = Books(self._clock)
        self._seen = Seen.nothing(self._clock)
        self._bad = truth.bad(random)
        self._router = Router(
            config, policy, random, self._clock, seen=self._seen, room=self._books
        )

    async def run(self, visits: Iterable[Visit]) -> Month:
        month = Month()
        for visit in visits:
            self._clock.now = visit.at
            month.requests += 1
            await self._serve(visit, self._candidates(visit), month)
        return month

    def run_always(self, visits: Iterable[Visit], best: Candidate) -> Month:
        """The same, with one model for everything, whatever its limits."""
        month = Month()
        for visit in visits:
            self._clock.now = visit.at
            month.requests += 1
            if self._answers(best):
                self._answered(visit, best, month)
            else:
                month.unserved += 1
        return month

    def _candidates(self, visit: Visit) -> Sequence[Candidate]:
        asked = visit.question
        request, tokens, found = asked.request, asked.input_tokens, asked.found
        route = self._router.route(request, CALLER, tokens, found)
        return self._router.order(route, request, tokens, found).candidates

    async def _serve(self, visit: Visit, candidates: Sequence[Candidate], month: Month) -> None:
        """The first that has room and answers."""
        tokens = visit.question.input_tokens + visit.output_tokens
        self._judge_spread(candidates, month)
        async with self._router.trial(candidates, API) as in_order:
            for candidate in in_order:
                if not self._books.admits(candidate, tokens):
                    continue
                if self._answers(candidate):
                    self._router.succeeded(candidate, API, visit.at)
                    self._books.take(candidate, tokens)
                    return self._answered(visit, candidate, month)
                self._router.failed(candidate, UpstreamUnavailable("it is down"), API)
        month.unserved += 1
        return None

    def _judge_spread(self, candidates: Sequence[Candidate], month: Month) -> None:
        """Whether a free plan is used up, while another that would do as well, and was not down
        today, has much left."""
        left: dict[tuple[str, int], list[float]] = {}
        for candidate in candidates:
            if self._books.is_free(candidate) and not self._was_down_today(candidate):
                group = left.setdefault((candidate.tier_id, candidate.priority), [])
                group.append(self._books.share_of_day_left(candidate))
        used_up = [group for group in left.values() if min(group) < LITTLE_LEFT]
        month.used_up += bool(used_up)
        month.unspread += any(max(group) > MUCH_LEFT for group in used_up)

    def _was_down_today(self, candidate: Candidate) -> bool:
        now = int(self._clock.now // HOUR_SECONDS)
        midnight = int(self._clock.now // DAY_SECONDS) * 24
        name = _name(candidate)
        return any((name, hour) in self._bad for hour in range(midnight, now + 1))

    def _answers(self, candidate: Candidate) -> bool:
        bad = (_name(candidate), int(self._clock.now // HOUR_SECONDS)) in self._bad
        return not (bad and self._random.random() < self._truth.failing)

    def _answered(self, visit: Visit, candidate: Candidate, month: Month) -> None:
        asked, model = visit.question, candidate.model
        usage = Usage(asked.input_tokens, visit.output_tokens)
        price = price_of(candidate.provider, model)
        month.pico_usd += cost_pico_usd(usage, price, asked.request.images)
        month.served_by[candidate.label] += 1
        if visit.luck < self._truth.share_right(model.name, asked.task, asked.complexity):
            month.right += 1
        elif self._random.random() < COMPLAINTS:
            self._seen.scores.feedback(candidate.label, asked.found.task, "bad")


def _name(candidate: Candidate) -> str:
    return candidate.provider.id.partition("/")[2]


def best_model(config: SidecarConfig, truth: Truth) -> Candidate:
    """The one that is most often right over all that is asked, whatever it costs."""
    found = (
        Candidate(provider, model, "", "")
        for provider in config.providers
        for model in provider.models
    )
    return max(found, key=lambda candidate: truth.expected(candidate.model.name))
