"""What an attempt is charged when it has ended: pure.

usage known                            its real cost, zeros included
usage so far, and no more was said     the same, or the estimate below where that is more
overtaken: we ended it, for another's  the same: what had been seen by then
sake, or because its time was over
content seen, or complete without it   input estimate + 1.1 x the output seen; where a budget
                                       refuses and the model thinks unseen: as held, unsettled
provider failed, did nothing           nothing
sent, and lost with nothing seen       as held, nobody can know: money stays unsettled
never sent                             nothing
"""

from asyncio import CancelledError
from typing import Final

from penstock_config.provider import Price
from penstock_sidecar.errors import EmptyCompletion, UpstreamError
from penstock_sidecar.limits.holds import AS_HELD
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.metering.estimate import BYTES_PER_TOKEN, Input, seen_usage
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.values import dataclass


@dataclass(slots=True)
class Seen:
    """What has been seen of an attempt."""

    sent: bool = False
    content: bool = False
    text_bytes: int = 0
    usage: Usage | None = None
    finished: bool = False
    """The model has said why it stopped."""
    overtaken: bool = False
    """We ended it: whoever is asked beside others costs at least its input."""
    usage_is_final: bool = False
    """Some providers count along the way, or say the input alone with the first chunk."""

    def add(self, chunk: Chunk) -> None:
        self.text_bytes += chunk.text_bytes
        self.content = self.content or chunk.content
        self.finished = self.finished or chunk.end or chunk.finish is not None
        if chunk.usage:
            self.usage, self.usage_is_final = chunk.usage, self.finished


@dataclass(frozen=True, slots=True)
class Charge:
    """`AS_HELD` in `tokens`, and no `micro_usd`, where nobody knows."""

    requests: int
    tokens: int
    micro_usd: int | None


NOTHING: Final = Charge(0, 0, 0)
UNKNOWN: Final = Charge(1, AS_HELD, None)


@dataclass(frozen=True, slots=True)
class Meter:
    """How an attempt is measured. `held_micro_usd` of `None` is: no budget refuses it."""

    price: Price | None
    input: Input
    held_micro_usd: int | None = None
    hidden: bool = False
    """It may think unseen: only its own count says how much."""

    def charge(self, seen: Seen, error: BaseException | None) -> Charge:
        if usage := seen.usage or _counted(error):
            counted = Charge(1, usage.total_tokens, self._cost(usage))
            whole = seen.usage_is_final or isinstance(error, EmptyCompletion)
            return counted if whole else _larger(counted, self._by_estimate(seen))
        if seen.content or seen.text_bytes or error is None or _cut_by_us(seen, error):
            return self._by_estimate(seen)
        if isinstance(error, UpstreamError):
            return NOTHING if error.charged is False else UNKNOWN
        return UNKNOWN if seen.sent else NOTHING

    def _by_estimate(self, seen: Seen) -> Charge:
        """Under a budget that refuses, bytes count as tokens, as they did for the hold: never
        less than the provider's bill, and never more than was held."""
        tokens = -(-seen.text_bytes // BYTES_PER_TOKEN)
        guess = seen_usage(self.input.tokens, tokens)
        cost = self._cost(guess)
        if self.held_micro_usd is not None and self.hidden:
            return Charge(1, guess.total_tokens, None)
        if self.held_micro_usd is not None:
            bound = self._cost(seen_usage(self.input.most_tokens, seen.text_bytes))
            cost = min(bound, self.held_micro_usd)
        return Charge(1, guess.total_tokens, cost)

    def _cost(self, usage: Usage) -> int:
        if self.price is None:
            return 0
        return micro_usd(cost_pico_usd(usage, self.price, self.input.images))


def _larger(a: Charge, b: Charge) -> Charge:
    tokens = max(a.tokens, b.tokens)
    if a.micro_usd is None or b.micro_usd is None:
        return Charge(1, tokens, None)
    return Charge(1, tokens, max(a.micro_usd, b.micro_usd))


def _cut_by_us(seen: Seen, error: BaseException) -> bool:
    """The provider was asked, and then not waited for."""
    return seen.sent and seen.overtaken and isinstance(error, CancelledError)


def _counted(error: BaseException | None) -> Usage | None:
    """An empty answer costs what the provider counted, if it did."""
    return error.usage if isinstance(error, EmptyCompletion) else None
