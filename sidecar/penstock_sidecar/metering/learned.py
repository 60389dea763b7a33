"""How many tokens a byte of text makes at each model, learned from what providers count.

For rates only: money is held on a bound, never on a guess. One sidecar learns from its own pod's
requests, so nobody can spoil it for others, and nobody gains: what a guess left out is charged when
the request is settled.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from math import log2
from typing import Final

from penstock_sidecar.metering.estimate import BYTES_PER_TOKEN, IMAGE_TOKENS, Input

LEAST: Final = 1 / 8
"""Tokens per byte: no language of a model comes below, blank lines and repeated signs may."""
STEPS_PER_OCTAVE: Final = 16
"""A step is 4.4 %: as much as an estimate may lie above what was learned."""
STEPS: Final = 3 * STEPS_PER_OCTAVE
"""From an eighth to one token per byte."""
WEIGHT: Final = 20
"""Of the start value, in requests: it rules until more than a thousand have said otherwise."""
MANY: Final = 1_024
"""Requests after which all weights are halved, so that the old is forgotten."""
MAX_RATIOS: Final = 512
"""The least recently used go first."""


THIRD: Final = 1 / BYTES_PER_TOKEN


def _step(ratio: float) -> int:
    """The least step at or above it."""
    clamped = min(max(ratio, LEAST), 1.0)
    return -int(-log2(clamped / LEAST) * STEPS_PER_OCTAVE // 1)


START: Final = _step(THIRD)


@dataclass(slots=True)
class _Histogram:
    """Requests by tokens per byte, rounded up to a step."""

    weights: list[float] = field(default_factory=lambda: [0.0] * (STEPS + 1))
    total: float = 0
    high: float = THIRD
    """Tokens per byte above which lies one request in a hundred, and never more than one of few."""

    def add(self, step: int, weight: float = 1) -> None:
        self.weights[step] += weight
        self.total += weight
        if self.total >= MANY:
            self.weights = [weight / 2 for weight in self.weights]
            self.total /= 2
        step = self._quantile()
        self.high = _ratio(step) if step != START else THIRD

    def _quantile(self) -> int:
        """One outlier moves nothing; two of a hundred do."""
        spare = max(1.0, self.total / 100)
        for step in range(STEPS, 0, -1):
            spare -= self.weights[step]
            if spare < 0:
                return step
        return 0


class TokenRatios:
    """Lives as long as the process. Sizes are told apart by powers of 16: a short request is mostly
    JSON and template, and a long one must not be guessed by them."""

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, int], _Histogram] = OrderedDict()

    def observe(self, label: str, text_bytes: int, input_tokens: int) -> None:
        """What a provider counted for so much text alone. Zero is what caches say: no news."""
        if text_bytes <= 0 or input_tokens <= 0:
            return
        key = (label, _size(text_bytes))
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _Histogram()
            found.add(START, WEIGHT)
            if len(self._found) > MAX_RATIOS:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        found.add(_step(input_tokens / text_bytes))

    def tokens(self, label: str, text_bytes: int) -> int:
        """At least an eighth of the bytes, at most all; a third where nothing was learned."""
        found = self._found.get((label, _size(text_bytes)))
        if found is None or found.high == THIRD:
            return -(-text_bytes // BYTES_PER_TOKEN)
        return min(text_bytes, int(text_bytes * found.high) + 1)

    def estimated(self, label: str, given: Input) -> Input:
        """The same input, as many tokens as this model makes of it."""
        if given.counted:
            return given
        tokens = self.tokens(label, given.text_bytes) + given.images * IMAGE_TOKENS
        return replace(given, tokens=tokens)

    def learn(self, label: str, given: Input, input_tokens: int) -> None:
        """From a final count. Pictures, sound and files are left out: their tokens are none of the
        text's. Tools stay in: their schemas are text of the request, billed as such."""
        if given.text_only:
            self.observe(label, given.text_bytes, input_tokens)


def _size(text_bytes: int) -> int:
    return text_bytes.bit_length() // 4


def _ratio(step: int) -> float:
    return float(LEAST * 2 ** (step / STEPS_PER_OCTAVE))
