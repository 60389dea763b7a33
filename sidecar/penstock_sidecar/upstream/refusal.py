"""From a provider's error response to ours, by who must act: pure.

The provider's sentence reaches the caller only where it speaks of his request.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.fields import objects_of, string_of
from penstock_sidecar.errors import (
    StreamBroken,
    UpstreamContextTooLong,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamUnavailable,
)
from penstock_sidecar.upstream.hints import (
    retry_after_seconds,
    retry_delay_seconds,
    visible_headers,
)
from penstock_sidecar.upstream.redaction import Redactor

MAX_MESSAGE_CHARACTERS: Final = 1000
MAX_WORD_CHARACTERS: Final = 100
OVERLOADED: Final = 529
"""Anthropic's."""
CONTEXT_TOO_LONG: Final = "context_length_exceeded"
FILTERED: Final = "content_filter"
_OF_A_FILTER: Final = frozenset({FILTERED, "ResponsibleAIPolicyViolation"})
"""Azure's, the latter in `innererror`, and at times there alone:
https://learn.microsoft.com/azure/foundry/openai/concepts/content-filter."""
_TOO_LONG: Final = re.compile(
    r"maximum context length|context (?:length|window|size)|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|input length .*exceed|exceeds the maximum number of tokens"
    r"|tokens \+ .?max_new_tokens.? must be|.inputs. must have less than",
    re.IGNORECASE,
)
_OUR_MODEL: Final = frozenset(
    {
        "model_not_found",
        "invalid_model",
        "model_decommissioned",
        "model_not_available",
        "DeploymentNotFound",  # Azure's, as the next
        "OperationNotSupported",
    }
)
_OUR_KEY: Final = frozenset(
    {"invalid_api_key", "authentication_error", "permission_error", "API_KEY_INVALID"}
)
_OUR_ACCOUNT: Final = re.compile(r"location is not supported|enable billing", re.IGNORECASE)
"""What Gemini's FAILED_PRECONDITION says where it is none of the request's:
https://ai.google.dev/gemini-api/docs/troubleshooting."""
_OUR_BILL: Final = re.compile(
    r"credit balance is too low|reached your specified .*usage limits", re.IGNORECASE
)
"""Anthropic's 400 for what others say by 402: https://platform.claude.com/docs/en/api/errors."""
_STATUS_OF_WORDS: Final = {
    "rate_limit": 429,
    CONTEXT_TOO_LONG: 400,
    "overloaded": OVERLOADED,
    "api_error": 500,
    "timeout_error": 504,
}
"""In a stream an error has no status but its type, or its code."""
_FLAGGED: Final = re.compile(
    r"(?:input|prompt|content) (?:was|were|is|has been) flagged|violates usage guidelines",
    re.IGNORECASE,
)
"""What a 403 says where it speaks of the prompt: OpenRouter's and xAI's. Of a policy is told an
account that was blocked, too."""
_CALLERS_THING: Final = re.compile(r"^(?:Item with id|File) \S+.* not found", re.IGNORECASE)
"""What OpenAI's 404 says of something that the caller named."""
_NOT_OURS_TO_BLAME: Final = frozenset({408, 409, 425, 499})
"""4xx that say "try again": no fault of the request's. 499 is Google's CANCELLED."""


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What a provider said, in whichever shape."""

    message: str = ""
    type: str = ""
    code: str = ""
    param: str | None = None
    reason: str = ""
    """Google's, of google.rpc.ErrorInfo."""
    retry_seconds: float | None = None
    """Where the body says it; most say it in headers."""
    filtered: bool = False
    """A content filter refused the prompt."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Makes errors of one provider's responses."""

    redact: Redactor

    def of_response(
        self, label: str, status: int, headers: Mapping[str, str], body: bytes, utc: float
    ) -> UpstreamError:
        try:
            said = provider_error(parse(body))
        except ValueError:
            said = ProviderError()
        error = self._error(label, status, said)
        error.provider_status = status
        waits = retry_after_seconds(headers, utc)
        error.retry_after_seconds = said.retry_seconds if waits is None else waits
        error.headers = visible_headers(headers, self.redact)
        return error

    def in_band(self, label: str, value: object) -> UpstreamError:
        """`value` is the `error` of a document that came with status 200."""
        said = provider_error({"error": value})
        status = _status_of(value, said)
        if status is None:
            return StreamBroken(f"{label} reported an error half-way")
        error = self._error(label, status, said)
        error.provider_status = status
        error.retry_after_seconds = said.retry_seconds
        return error

    def _error(self, label: str, status: int, said: ProviderError) -> UpstreamError:
        fault = _our_fault(label, status, said)
        if fault is not None:
            return fault
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return UpstreamLimited(f"{label} is at its rate limit")
        if status == OVERLOADED:
            return UpstreamOverloaded(f"{label} is overloaded")
        if status in _NOT_OURS_TO_BLAME or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return UpstreamUnavailable(f"{label} answered with status {status}")
        return self._refused(label, status, said)

    def _refused(self, label: str, status: int, said: ProviderError) -> UpstreamRefused:
        message = _one_line(self.redact(said.message), MAX_MESSAGE_CHARACTERS)
        code = _one_line(self.redact(said.code), MAX_WORD_CHARACTERS) or None
        param = _one_line(self.redact(said.param or ""), MAX_WORD_CHARACTERS) or None
        if code == CONTEXT_TOO_LONG or _TOO_LONG.search(message):
            public = message or f"{label} finds the request too long"
            return UpstreamContextTooLong(public, code=CONTEXT_TOO_LONG, param=param or "messages")
        if said.filtered or status == HTTPStatus.FORBIDDEN:
            status, code, param = HTTPStatus.BAD_REQUEST, FILTERED, "messages"
        public = message or f"{label} refused the request with status {status}"
        return UpstreamRefused(public, status=status, code=code, param=param)


def _our_fault(label: str, status: int, said: ProviderError) -> UpstreamError | None:
    """Key, account, address, model: nothing that a caller could change."""
    bad_key = (
        {said.code, said.type, said.reason} & _OUR_KEY
        or "api key not valid" in said.message.lower()
        or _OUR_BILL.search(said.message)
        or (said.type == "FAILED_PRECONDITION" and _OUR_ACCOUNT.search(said.message))
    )
    if _of_the_callers(status, said) and not bad_key:
        return None
    if status in {401, 402, 403} or (status < HTTPStatus.INTERNAL_SERVER_ERROR and bad_key):
        return UpstreamCredentials(f"{label} does not accept the key configured for it ({status})")
    if status in {404, 405} or {said.code, said.type} & _OUR_MODEL:
        return UpstreamMisconfigured(
            f"{label} is not known to the provider ({status}): check upstreamName and baseURL"
        )
    if status < HTTPStatus.BAD_REQUEST:
        return UpstreamMisconfigured(
            f"{label} answered with status {status}, which is no answer: check baseURL"
        )
    return None


def _of_the_callers(status: int, said: ProviderError) -> bool:
    """A 403 for his prompt, a 404 for something that he named."""
    if status == HTTPStatus.FORBIDDEN:
        return said.filtered or _FLAGGED.search(said.message) is not None
    if status != HTTPStatus.NOT_FOUND or {said.code, said.type} & _OUR_MODEL:
        return False
    named = said.param not in {None, "", "model"} and "model" not in said.code
    return named or _CALLERS_THING.search(said.message) is not None


def provider_error(document: object) -> ProviderError:
    """OpenAI's and Google's `{"error": {...}}`, Ollama's `{"error": "..."}`, FastAPI's `detail`,
    `message`."""
    match document:
        case [first, *_]:
            return provider_error(first)
        case {"error": str(message)} | {"detail": str(message)}:
            return ProviderError(message)
        case {"error": dict(error)} | {"detail": dict(error)}:
            return _of_mapping(error)
        case dict():
            return _of_mapping(document)
        case _:
            return ProviderError()


def _of_mapping(error: Mapping[str, object]) -> ProviderError:
    """Google's `status` is what others call `type`."""
    message, type_, code = (error.get(name) for name in ("message", "type", "code"))
    param, details = error.get("param"), error.get("details")
    return ProviderError(
        string_of(message),
        string_of(type_) or string_of(error.get("status")),
        string_of(code),
        param if isinstance(param, str) else None,
        _reason(details),
        retry_delay_seconds(details),
        filtered=_is_flagged(error)
        or not _OF_A_FILTER.isdisjoint((string_of(code), _inner_code(error))),
    )


def _is_flagged(error: Mapping[str, object]) -> bool:
    """OpenRouter's: https://openrouter.ai/docs/api/reference/errors-and-debugging."""
    metadata = error.get("metadata")
    return isinstance(metadata, dict) and "flagged_input" in metadata


def _inner_code(error: Mapping[str, object]) -> str:
    """Azure's."""
    inner = error.get("innererror")
    return string_of(inner.get("code")) if isinstance(inner, dict) else ""


def _reason(details: object) -> str:
    reasons = (string_of(detail.get("reason")) for _, detail in objects_of(details))
    return next(filter(None, reasons), "")


def _status_of(value: object, said: ProviderError) -> int | None:
    """OpenRouter puts the status into `code`; others only a word."""
    code = value.get("code") if isinstance(value, dict) else None
    if isinstance(code, int) and HTTPStatus.BAD_REQUEST <= code < 600:  # noqa: PLR2004  # HTTP's end
        return code
    words = f"{said.code} {said.type}"
    return next((status for word, status in _STATUS_OF_WORDS.items() if word in words), None)


def _one_line(text: str, most: int) -> str:
    """Printable, and no longer than `most` characters."""
    line = "".join(c if c.isprintable() else " " for c in text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"
