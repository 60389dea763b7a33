"""What it costs to decide where a request goes: its kind, 50 rules, 40 candidates in order.

No sidecar around it, and nothing sent. The floor is what the plainest router must do: compare a
name with 50 others, and put 40 names into a random order. Figures are of the thread's CPU time:
what it costs the sidecar's one core, whatever else the machine does.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import quantiles
from typing import Final, get_args

import orjson

from bench.booking import ANSWER
from penstock_config.policy import HeaderMatch, Match, Policy, Rule, Target
from penstock_config.provider import Model, Price, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Floor, Strategy, Tier
from penstock_sidecar.classify import Classify
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Caller, Pod, Request
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.routing.router import Router
from penstock_sidecar.routing.scores import Tally
from penstock_sidecar.routing.seen import Seen

RULES: Final = 50
PROVIDERS: Final = 8
MODELS: Final = 5
"""Of each provider: forty candidates."""
ROUNDS: Final = 8
LEAST: Final = 2
"""Of a round, for there to be percentiles."""
WARM_UP: Final = 100
SEED: Final = 6
MICROSECONDS: Final = 1e6
POD: Final = Pod("bench", "bench-1", "bench", {})
CALLER: Final = Caller("bench", "bench", "bench-1", "ann")
PROMPTS: Final = (
    "Hello, how are you?",
    "Write a Python function that merges two sorted lists, and prove that it is linear in time.",
    "Summarise the following report in three sentences: " + "Sales rose in the north. " * 60,
    "\u00dcbersetze diesen Satz ins Englische: Der Zug f\u00e4hrt um neun Uhr ab.",
    "A train leaves at 9:00 at 80 km/h, another at 9:30 at 120 km/h. When do they meet, and why?",
)
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds of one decision."""

    subject: str
    p50: float
    p95: float


def routing_times(count: int) -> list[Timing]:
    """The floor, then a decision by each strategy: classification, rule and order. The best of
    several rounds, in turn: what else the machine does only adds."""
    requests = [_request(prompt) for prompt in PROMPTS]
    subjects = {"floor: 50 comparisons, 40 names shuffled": _floor()}
    subjects |= {f"decision, {name}": _decider(name, requests) for name in STRATEGIES}
    rounds: dict[str, list[Timing]] = {name: [] for name in subjects}
    for _ in range(ROUNDS):
        for name, work in subjects.items():
            rounds[name].append(_timed(name, work, max(count // ROUNDS, LEAST)))
    return [min(timings, key=lambda timing: timing.p95) for timings in rounds.values()]


def routing_table(timings: Sequence[Timing]) -> str:
    """Markdown; `x of floor` is a decision's p95 over the floor's."""
    lines = ["| subject | p50 us | p95 us | x of floor |", "|---|---:|---:|---:|"]
    floor = timings[0].p95
    lines += [f"| {t.subject} | {t.p50:.0f} | {t.p95:.0f} | {t.p95 / floor:.1f} |" for t in timings]
    return "\n".join(lines)


def _timed(subject: str, work: Callable[[int], None], count: int) -> Timing:
    for number in range(WARM_UP):
        work(number)
    taken = []
    for number in range(count):
        began = time.thread_time()
        work(number)
        taken.append((time.thread_time() - began) * MICROSECONDS)
    cuts = quantiles(taken, n=20)
    return Timing(subject, cuts[9], cuts[18])


def _floor() -> Callable[[int], None]:
    random = Random(SEED)
    names = [f"bench/provider/model-{number}" for number in range(PROVIDERS * MODELS)]
    rules = [f"rule-{number}" for number in range(RULES)]

    def route(number: int) -> None:
        name = f"rule-{number}"
        next((rule for rule in rules if rule == name), None)
        sorted(names, key=lambda _: random.random())

    return route


def _decider(name: Strategy, requests: Sequence[Request]) -> Callable[[int], None]:
    config = configuration(name)
    (policy,) = config.policies
    clock = SystemClock()
    memory = Memory(clock, Shares(clock), Journal.open(None))
    limiter = Limiter(config, policy, POD, None, b"k" * 32, memory)
    seen = Seen.nothing(clock)
    router = Router(config, policy, Random(SEED), clock, seen=seen, room=limiter.room)
    classify = Classify.for_policy(config, policy)
    _learn(router, seen)
    asyncio.run(_use(limiter, router, requests[0]))

    def decide(number: int) -> None:
        request = requests[number % len(requests)]
        tokens = estimate_input(request).tokens
        found = classify.classification(request)
        route = router.route(request, CALLER, tokens, found)
        router.order(route, request, tokens, found)

    return decide


async def _use(limiter: Limiter, router: Router, request: Request) -> None:
    """So that every limit has been counted; without Redis, by the process itself."""
    route = router.route(request, CALLER, 1)
    for candidate in route.candidates:
        async with (
            limiter.ticket(CALLER, request) as ticket,
            ticket.attempt(candidate) as attempt,
        ):
            attempt.sent()
            attempt.saw(ANSWER)
    await limiter.close()


def _learn(router: Router, seen: Seen) -> None:
    """Every candidate has been measured, at everything."""
    for label in router.judged():
        for task in ("chat", "coding", "reasoning", "summarise", "translate"):
            seen.scores.learn(label, task, Tally(9, 8, 0.5, 8, 4_000))


def _request(prompt: str) -> Request:
    document = {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": prompt},
        ],
        "temperature": 0.2,
    }
    return parse_chat(orjson.dumps(document), {"x-team": "growth", "x-plan": "basic"}, "bench")


def configuration(strategy: Strategy) -> SidecarConfig:
    """One tier with all candidates, limited and with floors that most of them meet; the last rule
    is the one that matches."""
    tier = Tier(
        id="bench/all",
        name="all",
        candidates=tuple(
            Candidate(provider=provider.id, model=model.name, weight=1 + place)
            for provider in _providers()
            for place, model in enumerate(provider.models)
        ),
        strategy=strategy,
        floors=tuple(
            Floor(complexity=complexity, min_quality=least, max_cost=50_000, max_latency_ms=2_000)
            for complexity, least in (("simple", 50), ("medium", 55), ("complex", 60))
        ),
    )
    policy = Policy(
        id="bench/policy",
        tiers=(tier.id,),
        default=Target(tier=tier.id),
        rules=tuple(_rules(tier.id)),
    )
    return SidecarConfig(
        cluster="bench",
        namespace="bench",
        providers=_providers(),
        tiers=(tier,),
        policies=(policy,),
    )


def _rules(tier_id: str) -> Iterator[Rule]:
    """Of every kind of condition; all but the last just fail."""
    target = Target(tier=tier_id)
    kinds = (
        lambda n: Match(models=(f"team-{n}-*", f"*-{n}-preview")),
        lambda n: Match(models=("auto*",), users=(f"service-{n}-*",)),
        lambda n: Match(headers=(HeaderMatch(name="x-team", value=f"team-{n}*"),)),
        lambda n: Match(modalities=("image",), max_input_tokens=n),
        lambda _: Match(tasks=("creative", "vision"), complexity=("expert",)),
    )
    for number in range(RULES - 1):
        match = kinds[number % len(kinds)](number)
        yield Rule(name=f"rule-{number}", match=match, target=target)
    yield Rule(name="growth", match=Match(headers=(_GROWTH,)), target=target)


_GROWTH: Final = HeaderMatch(name="x-team", value="gro*")


def _providers() -> tuple[Provider, ...]:
    return tuple(
        Provider(
            id=f"bench/provider-{number}",
            type="openai",
            base_url="https://provider.example/v1",
            needs_key=False,
            limits=RateLimits(requests_per_minute=600, tokens_per_minute=10**7),
            models=tuple(_model(number, place) for place in range(MODELS)),
        )
        for number in range(PROVIDERS)
    )


def _model(number: int, place: int) -> Model:
    return Model(
        name=f"model-{number}-{place}",
        upstream_name=f"model-{number}-{place}",
        capabilities=("chat", "tools", "json"),
        context_window=8_192 * (1 + place),
        max_output_tokens=2_048,
        price=Price(input_token=100_000 * (1 + place), output_token=400_000 * (1 + place)),
        quality=60 + 8 * place,
        expected_latency_ms=300 + 200 * place,
        limits=RateLimits(requests_per_day=10_000),
    )
