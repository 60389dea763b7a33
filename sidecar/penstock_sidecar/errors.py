"""What can go wrong on a request's way, by who must act.

SidecarError                          status, type, code, public message
+ CallerError                         the caller must change the request
| - MalformedRequest 400              not JSON, a field missing or of the wrong type
| - BodyTooLarge 413
| - BodyTooSlow 408
| - EncodingUnsupported 415            a compressed body
| - StrangerRefused 403                a web page of another origin, or a rebound host name
| - MethodNotAllowed 405
| - UnknownPath 404
| - UnknownModel 404                  `model_not_found`
| - ModelsUnchangeable 403            which models there are is not the caller's to say
| - UnknownResponse 400               `previous_response_not_found`
| - ResponseNotFound 404              a response that is not kept, asked for by itself
| - UserRequired 400
| - ContextTooLong 400
+ PolicyError                         the platform's policy says no, or not now
| - RateLimited 429                   a caller's limit; true `retry_after_seconds`
| - BudgetExceeded 429 | 402          money; never worth a retry before the reset
| | - BudgetUnknown 503               Redis away: what was spent is not known here
| - PriceUnbounded 400                a budget, and a feature that may cost anything
| - NoFit 400                         no model meets the tier's floors, and the tier rejects
| - Denied 503                        a dangling reference, with the problem's text
| - NotCached 504                     `only-if-cached` and nothing was (RFC 9111, 5.2.1.7)
| - OutOfTime 504                     what the request may take is over, or too short for the rest
| | - CallerOutOfTime 504             and it is the caller's time-out
+ UpstreamError                       a provider failed; carries the candidate's label
| - UpstreamRefused                   4xx that another candidate would give as well: passed on
| | - UpstreamUnsupported 400         its protocol cannot say what the caller wants; others' may
| | - UpstreamContextTooLong 400      a model with a larger window may take it
| - UpstreamLimited 429               the provider, or its limit in our books, says not now
| | - UpstreamTokensLimited 429       of tokens
| - UpstreamCredentials 502           401 or 403: the caller's key is fine, ours is not
| - UpstreamUnavailable 502           connection refused, 5xx
| | - UpstreamOverloaded 503          it has too much to do (Anthropic's 529)
| | - UpstreamLost 502                the connection broke off with nothing seen
| | - UpstreamGarbled 502             a 200 that nobody can read
| | - UpstreamMisconfigured 502       its model, address or protocol is not what we were told
| - UpstreamTimeout 504
| | - UpstreamConnectTimeout 504      nobody answered: nothing was sent, nothing is charged
| | - UpstreamTooLate 504             the request's time was over: says nothing against the provider
| | | - UpstreamConnectTooLate 504    and nothing was sent yet
| - EmptyCompletion 502               200 without content
| - StreamBroken 502                  cut or stalled half-way
+ OwnError                            ours to mend
  - ConfigurationMissing 503
  - LimiterUnavailable 503            Redis away and the policy says Closed
  - ResponsesUnavailable 503          Redis away, and a former response is wanted
  - Overloaded 503                    a bound of ours was reached
  - Draining 503

Only `http.problem` turns these into HTTP. Only `public` text leaves the process: never a key, a
prompt, or a provider's raw body.
"""

from collections.abc import Mapping
from typing import ClassVar

from penstock_sidecar.model import Usage


class SidecarError(Exception):
    """Base of all; `public` is the sentence that the caller reads."""

    status: int = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "internal_error"
    error_type: ClassVar[str] = "own_error"
    """For metrics: caller_*, policy_*, provider_* or own_*."""
    should_retry: ClassVar[bool | None] = None
    """Says `x-should-retry`, which the vendors' clients obey before their own rules."""
    next_candidate: ClassVar[bool] = False
    """Another candidate may still serve."""
    same_again: ClassVar[bool] = False
    """Worth a retry of the same candidate."""

    def __init__(
        self,
        public: str,
        *,
        param: str | None = None,
        retry_after_seconds: float | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(public)
        self.public = public
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.metadata = metadata
        self.headers: Mapping[str, str] = {}
        """Further response headers, such as `x-ratelimit-*`."""


class CallerError(SidecarError):
    status = 400
    type = "invalid_request_error"
    code: str | None = None
    error_type = "caller_invalid_request"
    should_retry = False


class MalformedRequest(CallerError):
    pass


class BodyTooLarge(CallerError):
    status = 413
    code = "request_too_large"
    error_type = "caller_too_large"


class BodyTooSlow(CallerError):
    status = 408
    code = "request_timeout"
    error_type = "caller_too_slow"


class EncodingUnsupported(CallerError):
    status = 415
    code = "unsupported_content_encoding"


class StrangerRefused(CallerError):
    status = 403
    code = "stranger_refused"
    error_type = "caller_stranger"


class MethodNotAllowed(CallerError):
    status = 405
    code = "method_not_allowed"


class UnknownPath(CallerError):
    status = 404
    code = "unknown_url"


class UnknownModel(CallerError):
    status = 404
    code = "model_not_found"
    error_type = "caller_unknown_model"


class ModelsUnchangeable(CallerError):
    status = 403
    code = "models_unchangeable"


class UnknownResponse(CallerError):
    """OpenAI's own code and words."""

    code = "previous_response_not_found"

    def __init__(self, response_id: str) -> None:
        super().__init__(
            f"Previous response with id '{response_id}' not found.", param="previous_response_id"
        )


class ResponseNotFound(CallerError):
    status = 404

    def __init__(self, response_id: str) -> None:
        super().__init__(f"Response with id '{response_id}' not found.")


class UserRequired(CallerError):
    code = "user_required"


class ContextTooLong(CallerError):
    code = "context_length_exceeded"
    error_type = "caller_context_too_long"


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


class UpstreamError(SidecarError):
    """A provider failed. `charged` says whether it may have billed the attempt."""

    status = 502
    code: str | None = "upstream_error"
    error_type = "provider_error"
    charged: ClassVar[bool | None] = False
    """False: it did nothing. None: nobody can know."""
    next_candidate = True
    same_again = True


class UpstreamRefused(UpstreamError):
    """The provider calls the request invalid; `status` and the words are its own, re-framed."""

    type = "invalid_request_error"
    error_type = "caller_invalid_request"
    next_candidate = False
    same_again = False
    should_retry = False

    def __init__(
        self, public: str, *, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(public, param=param)
        self.status = status
        self.code = code


class UpstreamUnsupported(UpstreamRefused):
    next_candidate = True


class UpstreamContextTooLong(UpstreamRefused):
    error_type = "caller_context_too_long"
    next_candidate = True


class UpstreamLimited(UpstreamError):
    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    error_type = "provider_rate_limited"
    same_again = False


class UpstreamTokensLimited(UpstreamLimited):
    type = "tokens"


class UpstreamCredentials(UpstreamError):
    code = "upstream_credentials_exhausted"
    error_type = "provider_credentials"
    same_again = False


class UpstreamUnavailable(UpstreamError):
    error_type = "provider_unavailable"


class UpstreamOverloaded(UpstreamUnavailable):
    status = 503
    type = "overloaded_error"
    code = "overloaded"


class UpstreamLost(UpstreamUnavailable):
    charged = None


class UpstreamGarbled(UpstreamUnavailable):
    """It answered, and may bill; only nobody can read it."""

    charged = None


class UpstreamMisconfigured(UpstreamUnavailable):
    error_type = "provider_misconfigured"
    same_again = False


class UpstreamTimeout(UpstreamError):
    status = 504
    code = "upstream_timeout"
    error_type = "provider_timeout"
    charged: ClassVar[bool | None] = None
    same_again = False


class UpstreamConnectTimeout(UpstreamTimeout):
    charged = False


class UpstreamTooLate(UpstreamTimeout):
    pass


class UpstreamConnectTooLate(UpstreamTooLate):
    charged = False


class EmptyCompletion(UpstreamError):
    code = "empty_completion"
    error_type = "provider_empty"
    charged = None
    usage: Usage | None = None
    """What the provider counted for it, and will bill."""


class StreamBroken(UpstreamError):
    code = "upstream_stream_broken"
    error_type = "provider_stream_broken"
    charged = None


class OwnError(SidecarError):
    status = 503
    error_type = "own_error"


class ConfigurationMissing(OwnError):
    code = "configuration_missing"
    error_type = "own_configuration_missing"


class LimiterUnavailable(OwnError):
    code = "limiter_unavailable"
    error_type = "own_limiter_unavailable"


class ResponsesUnavailable(OwnError):
    code = "responses_unavailable"
    error_type = "own_responses_unavailable"


class Overloaded(OwnError):
    type = "overloaded_error"
    code = "overloaded"
    error_type = "own_overloaded"


class Draining(OwnError):
    code = "draining"
    error_type = "own_draining"
