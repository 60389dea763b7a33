"""Errors that are ours to mend."""

from penstock_sidecar.errors.base import SidecarError


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


class SessionsUnavailable(OwnError):
    code = "sessions_unavailable"
    error_type = "own_sessions_unavailable"


class CacheUnavailable(OwnError):
    code = "cache_unavailable"
    error_type = "own_cache_unavailable"


class Overloaded(OwnError):
    type = "overloaded_error"
    code = "overloaded"
    error_type = "own_overloaded"


class Draining(OwnError):
    code = "draining"
    error_type = "own_draining"
