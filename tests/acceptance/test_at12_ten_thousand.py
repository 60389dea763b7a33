"""AT5 and AT12: ten thousand requests, of which much goes wrong; then the books are exact."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from penstock_config.budget import Budget
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import Health, Provider, RateLimits, Timeouts
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from tests.acceptance.counters import Counters, counters
from tests.acceptance.fleet import Fleet, config, fleet
from tests.acceptance.metered import Heard, MeteredProvider, Offer, Plan, Tariff, Work, ask, offer
from tests.acceptance.metered.work import PICO_PER_MICRO
from tests.acceptance.metered.world import (
    ABILITIES,
    THINKS,
    Money,
    budget,
    metered,
    metered_model,
    money_of,
    quiet,
    until,
)
from tests.acceptance.registry import CASES
from tests.planes.plane import NAMESPACE, tier

REQUESTS = 10_000
AT_ONCE = 50
SIDECARS = 2
WINDOW_SECONDS = 86_400
"""Nothing leaves it while the test runs."""
TARIFF = Tariff(input_token=1_500_000, output_token=7_000_000, request=40_000_000)
LIMITS = RateLimits(
    requests_per_minute=10**6,
    tokens_per_minute=10**9,
    concurrent_requests=100 * AT_ONCE,
    window_seconds=WINDOW_SECONDS,
)
CALM = Plan(says=48, piece_bytes=16)
Mood = str
MOODS: Mapping[Mood, Timeouts] = {
    "patient": Timeouts(),
    "hasty": Timeouts(first_token_seconds=0.5, total_seconds=0.5),
    "restless": Timeouts(idle_seconds=1.5),
    "thoughtful": Timeouts(),
}
"""Of providers: those that stall are asked by who waits for the one thing that never comes; those
that are thoughtful may think unseen."""
LEAVING = 0.3
MISHAPS: tuple[tuple[float, Mood, Plan], ...] = (
    (8, "patient", CALM),
    (0.5, "patient", replace(CALM, thinks=20)),
    (0.5, "thoughtful", replace(CALM, thinks=20, hidden=True)),
    (0.3, "thoughtful", replace(CALM, thinks=20, hidden=True, usage="missing")),
    (0.2, "thoughtful", replace(CALM, thinks=20, hidden=True, fate="cut", after=1, stepped=True)),
    (1, "patient", replace(CALM, usage="missing")),
    (0.5, "patient", replace(CALM, usage="zero")),
    (0.5, "patient", replace(CALM, says=0)),
    (0.2, "patient", replace(CALM, says=0, usage="missing")),
    (0.5, "patient", replace(CALM, fate="refuse")),
    (0.2, "patient", replace(CALM, fate="refuse", status=429)),
    (0.5, "patient", replace(CALM, fate="fail", status=503)),
    (0.3, "patient", replace(CALM, fate="cut")),
    (0.3, "patient", replace(CALM, fate="cut", reset=True)),
    (0.5, "patient", replace(CALM, fate="cut", after=2, stepped=True)),
    (0.5, "patient", replace(CALM, fate="error", after=1, stepped=True)),
    (0.2, "hasty", replace(CALM, fate="stall")),
    (0.2, "restless", replace(CALM, fate="stall", after=2, stepped=True)),
)
STALLED, STEPPED = replace(CALM, fate="stall"), replace(CALM, stepped=True)


BACKUP = "backup"
"""Asked next where the same again is no use, or Redis was late for the first."""
PATIENCE = Timeouts(first_token_seconds=5, idle_seconds=5, total_seconds=5)


@dataclass(frozen=True, slots=True)
class Scene:
    """A request, and what becomes of its first attempt; the others succeed."""

    offer: Offer
    plan: Plan


def scene(number: int) -> Scene:
    chance = Random(number)
    case = chance.choice(CASES)
    mood, plan = chance.choice(("patient", "thoughtful")), STALLED
    leaves_after: int | None = 0
    if chance.random() >= LEAVING:
        ((_, mood, plan),) = chance.choices(MISHAPS, [weight for weight, *_ in MISHAPS])
        leaves_after = None
    elif case.endpoint.streamed and chance.random() < 0.5:
        plan, leaves_after = STEPPED, chance.randrange(1, 3)
    if plan.fate == "stall" and not case.endpoint.streamed and mood == "restless":
        mood = "hasty"
    name = f"{mood}-{case.provider.type}"
    text = "wort " * chance.randrange(20)
    most = chance.choice((10, 60, 300))
    asked = offer(case, name, f"t{number}", text, max_tokens=most, leaves_after=leaves_after)
    return Scene(asked, plan)


def providers(fake: MeteredProvider) -> Iterator[Provider]:
    """Each mood of each type. Their models are named after them: so the meter tells them apart."""
    for case in {case.provider.type: case for case in CASES}.values():
        for mood, timeouts in {**MOODS, BACKUP: PATIENCE}.items():
            name = f"{mood}-{case.provider.type}"
            yield metered(
                case,
                fake,
                name,
                models=(metered_model(TARIFF, upstream_name=name, capabilities=abilities(mood)),),
                limits=LIMITS,
                timeouts=timeouts,
                health=Health(failure_threshold=10**9),
            )


def abilities(mood: Mood) -> tuple[str, ...]:
    return THINKS if mood == "thoughtful" else ABILITIES


def tiers(fake: MeteredProvider) -> Iterator[Tier]:
    for provider in providers(fake):
        name = provider.id.removeprefix(f"{NAMESPACE}/")
        yield tier(name, (name, "small"), (f"{BACKUP}-{provider.type}", "small"))


def due(asked: Offer, work: Work) -> Money:
    """What an attempt leaves in the books, by the rules that limits/charge.py states."""
    told_or_free = work.told or not work.bill_pico_usd
    if work.unknowable or (work.asked.model.startswith("thoughtful") and not told_or_free):
        return Money(0, 0, asked.bound_micro_usd(TARIFF))
    if told_or_free:
        return Money(-(-work.bill_pico_usd // PICO_PER_MICRO), 0, 0)
    return Money(asked.estimate_micro_usd(TARIFF, work.shown_bytes), 0, 0)


async def perform(running: Fleet, fake: MeteredProvider, scenes: Mapping[str, Scene]) -> int:
    """Returns how many were served to the end."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def in_turn(number: int, it: Scene) -> Heard:
        port = running.sidecars[number % SIDECARS].ports.application
        async with gate:
            while (heard := await ask(port, it.offer, fake)).status == 503:
                """Redis was late; nothing had been asked of the provider."""
        return heard

    heard = await asyncio.gather(*(in_turn(n, it) for n, it in enumerate(scenes.values())))
    await fake.meter.ended()
    return sum(each.status == 200 and not each.left for each in heard)


@pytest.fixture
def counts(redis_url: str) -> Iterator[Counters]:
    with counters(redis_url) as found:
        yield found


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_at12_after_ten_thousand_requests_the_books_are_the_meter_s(
    tmp_path: Path, redis_url: str, counts: Counters
) -> None:
    """30 % leave; providers fail before and after their work, cut off, stall, answer with nothing,
    or do not count. Then nothing is reserved, no slot is taken, what is settled is the bill as far
    as it can be known, and unsettled is what the attempts held of which nobody can know."""
    scenes = {s.offer.tag: s for s in map(scene, range(REQUESTS))}
    async with MeteredProvider(lambda tag, n: scenes[tag].plan if n == 1 else CALM, TARIFF) as fake:
        budgets = {
            model.upstream_name: budget(model.upstream_name, providers=(provider.id,))
            for provider in providers(fake)
            for model in provider.models
        }
        with fleet(tmp_path, redis_url, SIDECARS) as running:
            await running.publish(serving(fake, *budgets.values()))
            served = await perform(running, fake, scenes)
            await quiet(counts, *budgets.values())
            await until(lambda: counts.slots() == 0)
    expected: defaultdict[str, Money] = defaultdict(lambda: Money(0, 0, 0))
    for work in fake.meter.works:
        expected[work.asked.model] += due(scenes[work.asked.tag].offer, work)
    assert {name: money_of(counts, of) for name, of in budgets.items()} == expected
    assert all(expected[f"{BACKUP}-{case.provider.type}"].settled for case in CASES)
    assert counts.used("rpm", WINDOW_SECONDS) >= served > REQUESTS / 2
    assert counts.used("tpm", WINDOW_SECONDS) >= told_tokens(fake)


def serving(fake: MeteredProvider, *budgets: Budget) -> SidecarConfig:
    limit = CallerLimit(name="app", per="App", limits=LIMITS)
    retry = Retry(attempts=2, backoff_ms=0)
    wanted = config(*providers(fake), budgets=budgets, limits=(limit,), retry=retry)
    return wanted.model_copy(update={"tiers": tuple(tiers(fake))})


def told_tokens(fake: MeteredProvider) -> int:
    counted = (work for work in fake.meter.works if work.told and not work.given)
    return sum(work.input_tokens + work.output_tokens for work in counted)
