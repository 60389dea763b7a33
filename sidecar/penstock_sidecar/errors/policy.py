"""Errors by which the platform's policy says no, or not now."""

from typing import ClassVar

from penstock_sidecar.errors.base import SidecarError


class PolicyError(SidecarError):
    status = 429
    error_type = "policy_denied"


class RateLimited(PolicyError):
    """A limit on requests or concurrency; see the subclass for tokens."""

    type = "requests"
    code = "rate_limit_exceeded"
    error_type = "policy_rate_limited"


class TokensLimited(RateLimited):
    type = "tokens"


class ConcurrencyLimited(RateLimited):
    code = "concurrency_limit_exceeded"


class TooLargeForLimit(PolicyError):
    """Costs more than the limit ever grants: waiting does not help."""

    status = 413
    type = "tokens"
    code = "rate_limit_exceeded"
    error_type = "policy_rate_limited"
    should_retry = False


class BudgetExceeded(PolicyError):
    type = "insufficient_quota"
    code = "insufficient_quota"
    error_type = "policy_budget_exceeded"
    should_retry: ClassVar[bool | None] = False
    next_candidate = True
    downgrade_tier: str | None = None
    """The tier that may still spend, where the budget names one."""


class BudgetExceeded402(BudgetExceeded):
    """The same for budgets whose `statusOnReject` is 402."""

    status = 402


class BudgetUnknown(BudgetExceeded):
    """A candidate that costs nothing can still serve."""

    status = 503
    type = "server_error"
    code = "limiter_unavailable"
    error_type = "own_limiter_unavailable"
    should_retry = None


class PriceUnbounded(PolicyError):
    """Under a budget that refuses, a feature of the request has no most that it can cost. `param`
    names it. A candidate that costs nothing can still serve."""

    status = 400
    type = "invalid_request_error"
    code = "price_unbounded"
    error_type = "policy_price_unbounded"
    should_retry = False
    next_candidate = True


class NoFit(PolicyError):
    """A shorter request, another tier or a later time may fit; the same at once does not."""

    status = 400
    type = "invalid_request_error"
    code = "no_model_fits"
    error_type = "policy_no_fit"
    should_retry = False


class Denied(PolicyError):
    status = 503
    type = "server_error"
    code = "route_denied"
    should_retry = False


class AgreementTooLow(PolicyError):
    """There are answers, and none that enough of them support."""

    status = 502
    type = "server_error"
    code = "agreement_too_low"
    error_type = "policy_agreement_too_low"
    should_retry = False


class NotCached(PolicyError):
    status = 504
    type = "invalid_request_error"
    code = "not_cached"
    error_type = "policy_not_cached"
    should_retry = False


class OutOfTime(PolicyError):
    status = 504
    type = "server_error"
    code = "deadline_exceeded"
    error_type = "policy_deadline_exceeded"


class CallerOutOfTime(OutOfTime):
    error_type = "caller_deadline_exceeded"
