"""Errors that are the caller's to mend: the request must change."""

from penstock_sidecar.errors.base import SidecarError


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


class SessionNotFound(CallerError):
    status = 404
    code = "session_not_found"


class UnknownCall(CallerError):
    status = 404
    code = "call_not_found"


class UserRequired(CallerError):
    code = "user_required"


class ContextTooLong(CallerError):
    code = "context_length_exceeded"
    error_type = "caller_context_too_long"
