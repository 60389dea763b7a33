"""A scenario's requests: drawn from a seed, the same for every plan.

What is drawn depends on the traffic and the seed alone, never on who serves it: people ask on
while they wait (an open loop), as many different ones do.
"""

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from operator import itemgetter
from random import Random
from typing import Final

from penstock_cli.simulation.scenario import Between, Stream, Traffic, WeightedModel

HOUR: Final = 3600.0
WITHIN_BURST_SECONDS: Final = 2.0
"""Mean time between those who begin together. A guess."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one model is asked."""

    model: str
    prompt_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Ask:
    """A request. With more than one call it is an ensemble."""

    number: int
    """Its place in the trace, from 0."""
    stream: str
    at: float
    """Seconds from the beginning, to the millisecond."""
    timeout_seconds: float
    calls: tuple[Call, ...]

    @property
    def quorum(self) -> int:
        """Answers without which it is of no use: more than half."""
        return len(self.calls) // 2 + 1


Trace = tuple[Ask, ...]


def trace_of(traffic: Traffic, seed: int) -> Trace:
    """In order of time."""
    asks = [
        (at, index, calls)
        for index, stream in enumerate(traffic.streams)
        for at, calls in _asked(stream, traffic, _drawing(stream, seed))
    ]
    asks.sort(key=itemgetter(0, 1))
    return tuple(
        Ask(number, (of := traffic.streams[index]).name, at, of.timeout_seconds, calls)
        for number, (at, index, calls) in enumerate(asks)
    )


def digest_of(trace: Trace) -> str:
    """SHA-256 of all that it says, in hex."""
    lines = (
        f"{ask.at:.3f} {ask.stream} {ask.timeout_seconds:g} "
        + " ".join(f"{c.model}:{c.prompt_tokens}:{c.output_tokens}" for c in ask.calls)
        for ask in trace
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _drawing(stream: Stream, seed: int) -> Random:
    return Random(f"{stream.name} {seed}")  # noqa: S311  # it has to be repeatable


def _asked(
    stream: Stream, traffic: Traffic, random: Random
) -> Iterator[tuple[float, tuple[Call, ...]]]:
    for begin in _begins(stream, traffic, random):
        at, history = begin, 0
        models = _drawn(stream.models, _between(stream.members, random), random)
        for _ in range(_between(stream.turns, random)):
            prompt = _log_uniform(stream.prompt_tokens, random)
            calls = tuple(
                Call(model, history + prompt, _log_uniform(stream.output_tokens, random))
                for model in models
            )
            if at < traffic.duration_seconds:
                yield round(at, 3), calls
            history += prompt + calls[0].output_tokens
            at += _log_uniform(stream.think_seconds, random)


def _begins(stream: Stream, traffic: Traffic, random: Random) -> Iterator[float]:
    """Bursts come at random, with the shape's rate; in a burst, one soon after the other."""
    expected = stream.per_hour / stream.burst * traffic.duration_seconds / HOUR
    reached = 0.0
    while (reached := reached + _exponential(1.0, random)) < expected:
        at = _when(reached / expected, traffic.shape) * traffic.duration_seconds
        yield at
        for _ in range(_geometric(stream.burst, random) - 1):
            at += _exponential(WITHIN_BURST_SECONDS, random)
            if at < traffic.duration_seconds:
                yield at


def _when(share: float, shape: Sequence[float]) -> float:
    """At which share of the time that share of the load has come."""
    ends = list(accumulate(shape))
    wanted = share * ends[-1]
    for index, end in enumerate(ends):
        if wanted < end:
            return (index + 1 - (end - wanted) / shape[index]) / len(shape)
    return 1.0


def _drawn(models: Sequence[WeightedModel], wanted: int, random: Random) -> list[str]:
    """Different ones, by their weights; all of them where fewer are there than wanted."""
    left = list(models)
    found: list[str] = []
    while left and len(found) < wanted:
        mark = random.random() * sum(each.weight for each in left)
        for index in count():
            mark -= left[index].weight
            if mark < 0 or index == len(left) - 1:
                found.append(left.pop(index).name)
                break
    return found


def _between(span: Between, random: Random) -> int:
    return span.least + int(random.random() * (span.most - span.least + 1))


def _log_uniform(span: Between, random: Random) -> int:
    low, high = math.log(max(span.least, 1)), math.log(max(span.most, 1))
    return round(math.exp(low + random.random() * (high - low)))


def _exponential(mean: float, random: Random) -> float:
    return -mean * math.log(1.0 - random.random())


def _geometric(mean: float, random: Random) -> int:
    """1 at least."""
    if mean <= 1:
        return 1
    return 1 + int(math.log(1.0 - random.random()) / math.log(1.0 - 1.0 / mean))
