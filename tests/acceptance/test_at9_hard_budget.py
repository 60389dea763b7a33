"""AT9: the provider's bill never passes a hard budget, and the budget can be used up."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from zlib import crc32

import pytest

from penstock_config.budget import Budget
from penstock_config.policy import Retry
from penstock_config.provider import Health
from tests.acceptance.fleet import Fleet, config
from tests.acceptance.metered import Heard, MeteredProvider, Offer, Plan, Tariff, ask
from tests.acceptance.metered.plan import Plans
from tests.acceptance.metered.traffic import random_offer
from tests.acceptance.metered.work import PICO_PER_MICRO
from tests.acceptance.metered.world import (
    THINKS,
    Money,
    budget,
    metered,
    metered_model,
    money_of,
    quiet,
)
from tests.acceptance.registry import CASES, PAIRS, PROVIDERS, Case, ProviderKind
from tests.planes.plane import NAMESPACE
from tests.sidecar.limits.books import Books

Cases = Sequence[Case]
AT_ONCE = 500
MOST_WAVES = 12
TARIFF = Tariff(image=2_000_000_000, request=5_000_000, image_tokens=49_000)
AMOUNT = 4_000_000
"""Micro-USD: the dearest request may cost an eighth, most cost a thousandth."""


def answers(tag: str, attempt: int) -> Plan:
    """Complete, and counted: short, or longer than its cap, thoughts up to the cap."""
    chance = Random(f"{tag}/{attempt}")
    return Plan(
        says=chance.choice((5, 100, 5000)),
        thinks=chance.choice((0, 0, 50, 5000)),
        hidden=chance.random() < 0.5,
        piece_bytes=64,
    )


def mishaps(tag: str, attempt: int) -> Plan:
    """Anything that a provider may do, each as often as any other, with thoughts that are shown or
    not; the second time it answers."""
    chance = Random(f"{tag}/{attempt}")
    calm = answers(tag, attempt)
    after = chance.randrange(1, 4)
    plans = (
        calm,
        replace(calm, stepped=True),
        replace(calm, usage="missing"),
        replace(calm, usage="zero"),
        replace(calm, says=0, thinks=0),
        replace(calm, fate="refuse", status=chance.choice((429, 500, 503))),
        replace(calm, fate="fail"),
        replace(calm, fate="cut", reset=chance.random() < 0.5),
        replace(calm, fate="cut", after=after, stepped=True),
        replace(calm, fate="error", after=after, stepped=True),
        replace(calm, fate="stall"),
    )
    return chance.choice(plans) if attempt == 1 else calm


def patience(plan: Plan) -> int | None:
    """When to leave: where the provider stalls there is nothing else to do, and from the middle of
    an answer that goes step by step."""
    if plan.fate == "stall":
        return 0
    return 2 if plan.fate == "answer" and plan.stepped else None


def offers(cases: Cases, name: str, plans: Plans, seed: str) -> list[Offer]:
    """A wave, over every endpoint."""
    chance = Random(seed)
    found = []
    for number in range(AT_ONCE):
        case = chance.choice(cases)
        found.append(random_offer(case, _name(name, case), f"{seed}-{number}", chance))
    return [replace(o, leaves_after=patience(plans(o.tag, 1))) for o in found]


def _name(name: str, case: Case) -> str:
    """Of the provider that serves it: OpenAI's own differs from who only speaks its dialect."""
    return f"{name}-{case.provider.type}{'-itself' * ('preset' in case.provider.more)}"


@dataclass(frozen=True)
class Flood:
    """Offers waves until one is refused as a whole; looks at the books between them."""

    fleet: Fleet
    fake: MeteredProvider
    plans: Plans
    limit: Budget
    books: Books

    async def use_up(self, cases: Cases, name: str) -> None:
        never_cools = Health(failure_threshold=10**9)
        model = metered_model(TARIFF, capabilities=THINKS)
        serving = [
            metered(case, self.fake, provider, models=(model,), health=never_cools)
            for provider, case in {_name(name, case): case for case in cases}.items()
        ]
        retry = Retry(attempts=2, backoff_ms=0)
        await self.fleet.publish(config(*serving, budgets=(self.limit,), retry=retry))
        await self.until_refused(cases, name)

    async def until_refused(self, cases: Cases, name: str) -> None:
        for wave in range(MOST_WAVES):
            offered = offers(cases, name, self.plans, f"{name}-{wave}")
            dearest = max(o.bound_micro_usd(TARIFF) for o in offered)
            room = AMOUNT - self.money().used
            admitted = await self.offer(offered)
            assert self.fake.meter.bill_micro_usd() <= AMOUNT
            assert admitted or room < dearest, "none is admitted while there is room"
            if not admitted:
                return
        pytest.fail(f"{MOST_WAVES} waves did not use the budget up: {self.money()}")

    async def offer(self, offered: list[Offer]) -> int:
        """How many requests the provider got."""
        before = len(self.fake.meter.works)
        while offered:
            heard = await asyncio.gather(*map(self.ask, offered))
            offered = [o for o, h in zip(offered, heard, strict=True) if _nobody_knew(o, h)]
        await self.fake.meter.ended()
        await quiet(self.books, self.limit)
        return len(self.fake.meter.works) - before

    async def ask(self, offered: Offer) -> Heard:
        sidecars = self.fleet.sidecars
        chosen = sidecars[crc32(offered.tag.encode()) % len(sidecars)]
        return await ask(chosen.ports.application, offered, self.fake)

    def money(self) -> Money:
        return money_of(self.books, self.limit)


def _nobody_knew(offered: Offer, heard: Heard) -> bool:
    """Redis was late: this machine is busy. Such a request says nothing about the budget."""
    return heard.status == 503 and offered.leaves_after is None


@pytest.fixture(params=[False, True], ids=["namespace", "provider-wide"])
def wide(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(params=PROVIDERS, ids=lambda kind: kind.type)
def kind(request: pytest.FixtureRequest) -> ProviderKind:
    found = request.param
    assert isinstance(found, ProviderKind)
    return found


@pytest.fixture
def cases(kind: ProviderKind) -> Cases:
    """All endpoints at once."""
    return [case for case in CASES if case.provider is kind]


@pytest.fixture
def books(eight: Fleet) -> Iterator[Books]:
    opened = Books(eight.redis_url)
    yield opened
    opened.client.close()


def hard(name: str, cases: Cases, *, wide: bool = False) -> Budget:
    """Of all providers that serve these."""
    serving = {f"{NAMESPACE}/{_name(name, case)}" for case in cases}
    return budget(name, AMOUNT, provider_wide=wide, providers=tuple(sorted(serving)))


@pytest.mark.slow
async def test_at9_answers_use_a_hard_budget_up_and_never_pass_it(
    eight: Fleet, cases: Cases, kind: ProviderKind, wide: bool, books: Books
) -> None:
    name = f"nine-{kind.type}-{wide}".lower()
    async with MeteredProvider(answers, TARIFF) as fake:
        flood = Flood(eight, fake, answers, hard(name, cases, wide=wide), books)
        await flood.use_up(cases, name)
    dearest = max(o.bound_micro_usd(TARIFF) for o in offers(cases, name, answers, f"{name}-0"))
    money, bill = flood.money(), fake.meter.bill_micro_usd()
    exact = sum(-(-work.bill_pico_usd // PICO_PER_MICRO) for work in fake.meter.works)
    assert (money.settled, money.unsettled) == (exact, 0)
    assert AMOUNT - dearest - len(fake.meter.works) <= bill <= AMOUNT


@pytest.mark.slow
async def test_at9_whatever_goes_wrong_the_bill_stays_within_a_hard_budget(
    eight: Fleet, cases: Cases, kind: ProviderKind, wide: bool, books: Books
) -> None:
    """Callers leave as well. What nobody can know is counted as much as it can be."""
    await go_wrong(
        eight, cases, hard(f"mishaps-{kind.type}-{wide}".lower(), cases, wide=wide), books
    )


@pytest.mark.slow
async def test_at9_in_every_dialect_the_bill_stays_within_one_hard_budget(
    eight: Fleet, books: Books
) -> None:
    """Of all providers at once, passed on and translated."""
    await go_wrong(eight, PAIRS, hard("dialects", PAIRS), books)


async def go_wrong(eight: Fleet, cases: Cases, limit: Budget, books: Books) -> None:
    async with MeteredProvider(mishaps, TARIFF) as fake:
        flood = Flood(eight, fake, mishaps, limit, books)
        name = limit.id.removeprefix(f"{NAMESPACE}/")
        await flood.use_up(cases, name)
    served = fake.meter.attempts()
    first = offers(cases, name, mishaps, f"{name}-0")
    assert {str(o.case) for o in first if o.tag in served} == set(map(str, cases))
    money = flood.money()
    assert fake.meter.bill_micro_usd() <= money.used <= AMOUNT
    assert any(work.unknowable for work in fake.meter.works)
    assert money.unsettled
