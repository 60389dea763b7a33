"""From a refused hold to the error that says who must act."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from penstock_config.budget import Budget
from penstock_config.queue import Queue
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import (
    BudgetExceeded,
    BudgetExceeded402,
    ConcurrencyLimited,
    LimiterUnavailable,
    RateLimited,
    SidecarError,
    TokensLimited,
    TooLargeForLimit,
    UpstreamLimited,
    UpstreamTokensLimited,
)
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.hints import limit_headers, with_jitter
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.metering.cost import MICRO_PER_USD

PAYMENT_REQUIRED: Final = 402


@dataclass(frozen=True, slots=True)
class Refusals:
    """Writes errors; waits are true, and told with upward jitter."""

    clock: Clock
    random: Random

    def of_caller(self, refusal: Refusal) -> SidecarError:
        """For the namespace's group: a caller's limit or a budget."""
        bound = refusal.bound
        if refusal.relearning:
            return self._relearning(refusal)
        if bound.budget:
            return self._budget(bound.budget, refusal)
        kind = {"tokens": TokensLimited, "slots": ConcurrencyLimited}.get(bound.what, RateLimited)
        return self._limited(kind, f"{bound.name} allows {amount(bound)}", refusal)

    def of_provider(self, refusal: Refusal) -> SidecarError:
        """For a provider's group: another candidate may have room."""
        bound = refusal.bound
        if refusal.relearning:
            return self._relearning(refusal)
        if bound.budget:
            return self._budget(bound.budget, refusal)
        kind = UpstreamTokensLimited if bound.what == "tokens" else UpstreamLimited
        return self._limited(kind, f"{bound.name} grants {amount(bound)}", refusal)

    def by_itself(self, seconds: float) -> SidecarError:
        """For a provider that has said when it may be asked again."""
        text = "its provider is at its rate limit"
        return UpstreamLimited(text, retry_after_seconds=with_jitter(seconds, self.random))

    def line_full(self, queue: Queue, error: SidecarError | None) -> SidecarError:
        """No more may wait. `error` is what the last refusal would have said."""
        return _after_waiting(f"{queue.max_length} requests wait for this limit already", error)

    def waited_in_vain(self, queue: Queue, error: SidecarError | None) -> SidecarError:
        text = (
            f"its turn did not come within {queue.max_wait_seconds:g} s, or the caller's patience"
        )
        return _after_waiting(text, error)

    def price_unknown(self, budget: Budget, why: str) -> SidecarError:
        """What cannot be priced cannot be held against a budget."""
        kind = BudgetExceeded402 if budget.status_on_reject == PAYMENT_REQUIRED else BudgetExceeded
        return kind(f"budget {budget.id} refuses what has no price: {why}")

    def _relearning(self, refusal: Refusal) -> SidecarError:
        """What nobody can know for a moment is no fault of the caller's."""
        text = f"{refusal.bound.name}: what was used is being put together again after a loss"
        return LimiterUnavailable(text, retry_after_seconds=self._wait(refusal))

    def _limited(
        self, kind: type[RateLimited | UpstreamLimited], text: str, refusal: Refusal
    ) -> SidecarError:
        error = kind(text, retry_after_seconds=self._wait(refusal))
        error.headers = limit_headers(refusal.standings)
        if isinstance(error, UpstreamLimited):
            error.in_our_books = True
        return error

    def _budget(self, budget: Budget, refusal: Refusal) -> SidecarError:
        bound = refusal.bound
        limit = refusal.standing.limit
        resets_at = self._resets_at(refusal.standing.reset_seconds)
        spent = limit - refusal.standing.remaining
        kind = BudgetExceeded402 if budget.status_on_reject == PAYMENT_REQUIRED else BudgetExceeded
        error = kind(
            f"budget {budget.id}: {short_usd(spent)} of {short_usd(limit)} USD"
            f" ({bound.per}) are spent or reserved, and this request does not fit;"
            f" resets {resets_at or 'never'}",
            retry_after_seconds=self._wait(refusal),
            metadata={
                "budget": budget.id,
                "period": bound.per,
                "resets_at": resets_at,
                "limit": short_usd(limit),
                "spent": short_usd(spent),
            },
        )
        error.headers = limit_headers(refusal.standings)
        if budget.on_exceeded == "Downgrade" and budget.downgrade:
            error.downgrade_tier = budget.downgrade.tier
        return error

    def _wait(self, refusal: Refusal) -> float | None:
        seconds = refusal.wait_seconds
        return None if seconds is None else with_jitter(seconds, self.random)

    def _resets_at(self, seconds: float | None) -> str | None:
        if seconds is None:
            return None
        at = datetime.fromtimestamp(self.clock.utc(), UTC) + timedelta(seconds=seconds)
        return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _after_waiting(text: str, error: SidecarError | None) -> SidecarError:
    if error is None:
        return RateLimited(text, retry_after_seconds=1)
    error.public = f"{error.public}; {text}"
    return error


def too_large(bound: Bound, tokens: int) -> TooLargeForLimit:
    """The input alone is more than the limit ever grants."""
    return TooLargeForLimit(
        f"{bound.name} allows {amount(bound)}; this input has about {tokens}", param="messages"
    )


def amount(bound: Bound) -> str:
    if bound.what == "slots":
        return f"{bound.amount} requests at a time"
    return f"{bound.amount} {bound.what} a {bound.per}"


def short_usd(micro: int) -> str:
    """Dollars with at least two places, and no more than needed: `1.50`, `0.0015`."""
    whole, rest = divmod(max(0, micro), MICRO_PER_USD)
    cents = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{whole}.{cents}"
