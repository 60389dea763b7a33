"""More than a limit grants, from two subjects: one runs out of requests, the other of tokens."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from penstock_cli.stub import Ok, StubProvider, Tokens
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.acceptance.caller import Caller
from tests.acceptance.fleet import SIDECARS, SUBJECT, Fleet, Shipped, config
from tests.acceptance.registry import SMALL, Case
from tests.planes.monitor import Moment, Monitor
from tests.planes.windows import most_in_a_window

INPUT_TOKENS = 60
BYTES_PER_TOKEN = 3
SMALL_TOKENS = 100
LARGE_TOKENS = 4 * SMALL_TOKENS
ADMISSION = "PEXPIRE"
"""What the acquire script calls once for each admission of a subject, and for nothing else."""


@dataclass(frozen=True, slots=True)
class Limited:
    """`requests` a minute, and tokens for twice as many small requests, or half as many large."""

    requests: int
    rates: RateLimits

    @classmethod
    def to(cls, requests: int, **changes: object) -> "Limited":
        tokens = 2 * requests * SMALL_TOKENS
        fields = {"requests_per_minute": requests, "tokens_per_minute": tokens}
        return cls(requests, RateLimits.model_validate(fields | changes))

    @property
    def large_requests(self) -> int:
        """As many as their tokens allow."""
        return self.requests // 2


@dataclass(slots=True)
class Subject:
    """Somebody who asks at random sidecars. Each request uses the tokens that it reserves."""

    name: str
    body: bytes
    case: Case
    fleet: Fleet
    caller: Caller
    chance: random.Random
    seen: Counter[int] = field(default_factory=Counter)
    """How often each status came back."""

    async def ask(self, sidecar: Shipped | None = None) -> int:
        """At anyone, unless told at whom."""
        asked = sidecar or self.fleet.anyone(self.chance)
        reply = await self.caller.ask(asked, self.case, self.body, x_subject=self.name)
        self.seen[reply.status] += 1
        return reply.status

    async def flood(self, seconds: float, rest_seconds: float) -> None:
        """Again and again, with a rest after each refusal."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            if await self.ask() != 200:
                await asyncio.sleep(rest_seconds)

    def judged(self, admissions: list[Moment]) -> "Judged":
        assert self.seen.keys() <= {200, 429, 503}, self.seen
        assert self.seen[200] <= len(admissions), "the provider's door stood open beside Redis"
        return Judged(self.seen.total(), self.seen[200], admissions)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one subject. `admissions`: when Redis admitted, by its own clock."""

    asked: int
    served: int
    admissions: list[Moment]

    def most_in_a_window(self, window_seconds: float) -> int:
        """Of any start. What Redis admitted too late for the sidecar is given back, unserved."""
        given_back = len(self.admissions) - self.served
        return most_in_a_window(self.admissions, window_seconds) - given_back


@dataclass(frozen=True, slots=True)
class Subjects:
    """The two."""

    small: Subject
    large: Subject

    def judged(self, monitor: Monitor) -> tuple[Judged, Judged]:
        """Small and large. Their names are hashed in Redis, but the small one's requests are
        more."""
        found = monitor.moments_by_key(ADMISSION)
        moments = [moments for key, moments in found.items() if ":subject:" in key]
        assert len(moments) == len(("small", "large")), list(found)
        small, large = sorted(moments, key=len, reverse=True)
        return self.small.judged(small), self.large.judged(large)


def published(
    case: Case,
    fake: StubProvider,
    limited: Limited,
    on_redis_loss: Literal["LocalShare", "Closed"] = "Closed",
) -> SidecarConfig:
    """Both subjects have the limit to themselves; while Redis is late, nobody is served."""
    limit = CallerLimit(name="both", per="Header", header=SUBJECT, limits=limited.rates)
    small = case.provider.configured(fake)
    model = SMALL.model_copy(update={"upstream_name": "upstream-large"})
    large = case.provider.configured(fake, "large", models=(model,))
    return config(small, large, limits=(limit,), on_redis_loss=on_redis_loss, sidecars=SIDECARS)


def subjects(case: Case, fake: StubProvider, fleet: Fleet, caller: Caller, key: str) -> Subjects:
    """`key` makes their counters new."""
    chance = random.Random(key)
    made = []
    for model, tokens in ((case.provider.type, SMALL_TOKENS), ("large", LARGE_TOKENS)):
        output = tokens - INPUT_TOKENS
        body = case.endpoint.body_of(INPUT_TOKENS * BYTES_PER_TOKEN, model, max_tokens=output)
        upstream = "upstream-large" if model == "large" else "upstream-small"
        fake.always(Ok("yes", usage=Tokens(INPUT_TOKENS, output)), model=upstream)
        made.append(Subject(f"{key}-{tokens}", body, case, fleet, caller, chance))
    return Subjects(*made)
