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
| - SessionNotFound 404               a session that is not kept, or somebody else's
| - UnknownCall 404                   feedback on a call that is not remembered
| - UserRequired 400
| - ContextTooLong 400
+ PolicyError                         the platform's policy says no, or not now
| - RateLimited 429                   a caller's limit; true `retry_after_seconds`
| - BudgetExceeded 429 | 402          money; never worth a retry before the reset
| | - BudgetUnknown 503               Redis away: what was spent is not known here
| - PriceUnbounded 400                a budget, and a feature that may cost anything
| - NoFit 400                         no model meets the tier's floors, and the tier rejects
| - Denied 503                        a dangling reference, with the problem's text
| - AgreementTooLow 502               models of an ensemble contradict each other
| - NotCached 504                     `only-if-cached` and nothing was (RFC 9111, 5.2.1.7)
| - OutOfTime 504                     what the request may take is over, or too short for the rest
| | - CallerOutOfTime 504             and it is the caller's time-out
+ UpstreamError                       a provider failed; carries the candidate's label
| - UpstreamRefused                   4xx that another candidate would give as well: passed on
| | - UpstreamUnsupported 400         its protocol cannot say what the caller wants; others' may
| | - UpstreamContextTooLong 400      a model with a larger window may take it
| | - UpstreamAnswerTooLong 400       more than we hold of it; another's may be shorter
| - UpstreamLimited 429               the provider, or its limit in our books, says not now
| | - UpstreamTokensLimited 429       of tokens
| | - UpstreamCrowded 429             too many wait for a replica that the cluster runs
| - UpstreamCredentials 502           401 or 403: the caller's key is fine, ours is not
| - UpstreamUnavailable 502           connection refused, 5xx
| | - UpstreamOverloaded 503          it has too much to do (Anthropic's 529)
| | - UpstreamUnreachable 502         no connection could be made: nothing was sent
| | - UpstreamStarting 503            none of its replicas, which the cluster runs, is ready
| | - UpstreamLost 502                the connection broke off with nothing seen
| | - UpstreamGarbled 502             a 200 that nobody can read
| | - UpstreamForeign 502             a 200 in a format that is nobody's who serves models
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
  - SessionsUnavailable 503           Redis away, and a session is to be erased
  - CacheUnavailable 503              Redis or the embedder away, and answers are to be removed
  - Overloaded 503                    a bound of ours was reached
  - Draining 503

Only `http.problem` turns these into HTTP. Only `public` text leaves the process: never a key, a
prompt, or a provider's raw body.
"""

from penstock_sidecar.errors.base import (
    SidecarError,
)
from penstock_sidecar.errors.caller import (
    BodyTooLarge,
    BodyTooSlow,
    CallerError,
    ContextTooLong,
    EncodingUnsupported,
    MalformedRequest,
    MethodNotAllowed,
    ModelsUnchangeable,
    ResponseNotFound,
    SessionNotFound,
    StrangerRefused,
    UnknownCall,
    UnknownModel,
    UnknownPath,
    UnknownResponse,
    UserRequired,
)
from penstock_sidecar.errors.own import (
    CacheUnavailable,
    ConfigurationMissing,
    Draining,
    LimiterUnavailable,
    Overloaded,
    OwnError,
    ResponsesUnavailable,
    SessionsUnavailable,
)
from penstock_sidecar.errors.policy import (
    AgreementTooLow,
    BudgetExceeded,
    BudgetExceeded402,
    BudgetUnknown,
    CallerOutOfTime,
    ConcurrencyLimited,
    Denied,
    NoFit,
    NotCached,
    OutOfTime,
    PolicyError,
    PriceUnbounded,
    RateLimited,
    TokensLimited,
    TooLargeForLimit,
)
from penstock_sidecar.errors.provider import (
    EmptyCompletion,
    StreamBroken,
    UpstreamAnswerTooLong,
    UpstreamConnectTimeout,
    UpstreamConnectTooLate,
    UpstreamContextTooLong,
    UpstreamCredentials,
    UpstreamCrowded,
    UpstreamError,
    UpstreamForeign,
    UpstreamGarbled,
    UpstreamLimited,
    UpstreamLost,
    UpstreamMisconfigured,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamStarting,
    UpstreamTimeout,
    UpstreamTokensLimited,
    UpstreamTooLate,
    UpstreamUnavailable,
    UpstreamUnreachable,
    UpstreamUnsupported,
)

__all__ = [
    "AgreementTooLow",
    "BodyTooLarge",
    "BodyTooSlow",
    "BudgetExceeded",
    "BudgetExceeded402",
    "BudgetUnknown",
    "CacheUnavailable",
    "CallerError",
    "CallerOutOfTime",
    "ConcurrencyLimited",
    "ConfigurationMissing",
    "ContextTooLong",
    "Denied",
    "Draining",
    "EmptyCompletion",
    "EncodingUnsupported",
    "LimiterUnavailable",
    "MalformedRequest",
    "MethodNotAllowed",
    "ModelsUnchangeable",
    "NoFit",
    "NotCached",
    "OutOfTime",
    "Overloaded",
    "OwnError",
    "PolicyError",
    "PriceUnbounded",
    "RateLimited",
    "ResponseNotFound",
    "ResponsesUnavailable",
    "SessionNotFound",
    "SessionsUnavailable",
    "SidecarError",
    "StrangerRefused",
    "StreamBroken",
    "TokensLimited",
    "TooLargeForLimit",
    "UnknownCall",
    "UnknownModel",
    "UnknownPath",
    "UnknownResponse",
    "UpstreamAnswerTooLong",
    "UpstreamConnectTimeout",
    "UpstreamConnectTooLate",
    "UpstreamContextTooLong",
    "UpstreamCredentials",
    "UpstreamCrowded",
    "UpstreamError",
    "UpstreamForeign",
    "UpstreamGarbled",
    "UpstreamLimited",
    "UpstreamLost",
    "UpstreamMisconfigured",
    "UpstreamOverloaded",
    "UpstreamRefused",
    "UpstreamStarting",
    "UpstreamTimeout",
    "UpstreamTokensLimited",
    "UpstreamTooLate",
    "UpstreamUnavailable",
    "UpstreamUnreachable",
    "UpstreamUnsupported",
    "UserRequired",
]
