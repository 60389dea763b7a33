"""Errors of providers: each carries the label of its candidate."""

from typing import ClassVar

from penstock_sidecar.errors.base import SidecarError
from penstock_sidecar.model import Usage


class UpstreamError(SidecarError):
    """A provider failed. `charged` says whether it may have billed the attempt."""

    status = 502
    code: str | None = "upstream_error"
    error_type = "provider_error"
    charged: ClassVar[bool | None] = False
    """False: it did nothing. None: nobody can know."""
    provider_status: int | None = None
    """The status of the provider's own answer, where that was the error."""
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


class UpstreamAnswerTooLong(UpstreamRefused):
    """Longer than we hold: says nothing against the provider."""

    error_type = "provider_answer_too_long"
    next_candidate = True


class UpstreamLimited(UpstreamError):
    status = 429
    type = "requests"
    code = "rate_limit_exceeded"
    error_type = "provider_rate_limited"
    same_again = False
    in_our_books = False
    """Nobody asked the provider: its limit in our books says so, where a turn can be waited for."""


class UpstreamTokensLimited(UpstreamLimited):
    type = "tokens"


class UpstreamCrowded(UpstreamLimited):
    """It runs in this cluster, and too many wait for its replicas already."""


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


class UpstreamUnreachable(UpstreamUnavailable):
    """No connection could be made: nothing was sent."""


class UpstreamStarting(UpstreamUnavailable):
    """It runs in this cluster, and none of its replicas is ready. It was waited for, or cannot be:
    the same at once is no use."""

    status = 503
    code = "replicas_starting"
    error_type = "provider_starting"
    same_again = False


class UpstreamLost(UpstreamUnavailable):
    charged = None


class UpstreamGarbled(UpstreamUnavailable):
    """It answered, and may bill; only nobody can read it."""

    charged = None


class UpstreamForeign(UpstreamUnavailable):
    """Of a proxy's or a load balancer's that has lost its servers; or its address is wrong."""

    same_again = False


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
