"""Google's generateContent, byte for byte, scripted as the stub is.

Shapes: https://ai.google.dev/api/generate-content and the types of PyPI's google-genai 3.4. Events
end in CRLF CRLF; plain answers and errors are indented; the error of a stream that has begun comes
without `data:`. `rules` says which requests it refuses.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from penstock_cli.stub import Behaviour, Ok, Status, StubProvider, Tokens
from penstock_cli.stub.answer import Answer, Asked
from penstock_cli.stub.record import Seen
from penstock_cli.stub.steps import Send
from tests.fakes.vendors.gemini_embeddings import GeminiEmbeddings
from tests.fakes.vendors.gemini_embeddings import complaint as embeddings_complaint
from tests.fakes.vendors.gemini_rules import complaint

KEY_HEADER: Final = "x-goog-api-key"
FINISHES: Final[Mapping[str, str]] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
"""Others are Gemini's own words already."""
ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Request contains an invalid argument.", "INVALID_ARGUMENT"),
    401: ("Request had invalid authentication credentials.", "UNAUTHENTICATED"),
    403: ("The caller does not have permission.", "PERMISSION_DENIED"),
    404: ("models/m is not found for API version v1beta.", "NOT_FOUND"),
    429: ("You exceeded your current quota.", "RESOURCE_EXHAUSTED"),
    499: ("The operation was cancelled.", "CANCELLED"),
    500: ("An internal error has occurred.", "INTERNAL"),
    503: ("The model is overloaded. Please try again later.", "UNAVAILABLE"),
    504: ("Deadline expired before operation could complete.", "DEADLINE_EXCEEDED"),
}


def _indented(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"


def rpc_error(code: int, message: str, status: str, *details: Mapping[str, object]) -> bytes:
    """https://google.aip.dev/193."""
    error: dict[str, object] = {"code": code, "message": message, "status": status}
    return _indented({"error": error | ({"details": list(details)} if details else {})})


def retry_info(delay: str) -> dict[str, object]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


QUOTA_FAILURE: Final = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [
        {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"},
            "quotaValue": "10",
        }
    ],
}


def limited(delay: str) -> Status:
    details = (QUOTA_FAILURE, retry_info(delay))
    return Status(429, body=rpc_error(429, *ERRORS[429], *details))


KEY_INVALID: Final = Status(
    400,
    body=rpc_error(
        400,
        "API key expired. Please renew the API key.",
        "INVALID_ARGUMENT",
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Gemini:
    """A `Dialect` of the stub's. With a `signature` its models sign their thoughts: on the first
    call, else on the text, of which a stream says it at its end, in a part without text."""

    signature: str = ""
    STREAM_TYPE = "text/event-stream"
    PLAIN_TYPE = "application/json; charset=UTF-8"
    MALFORMED = b'data: {"candidates": [{"content": {"par\r\n\r\n'
    IN_BAND_ERROR = rpc_error(503, *ERRORS[503])

    def plain(self, answer: Answer) -> bytes:
        parts = [*_thoughts(answer), *self._plain_text(answer), *self._calls(answer)]
        candidates = [
            _candidate(index, parts, _finish(answer)) for index in range(answer.asked.choices)
        ]
        return _indented(_document(answer, candidates, answer.tokens))

    def stream(self, answer: Answer) -> Iterator[Send]:
        """An event for each piece, then one that finishes."""
        said = 0
        for index in range(answer.asked.choices):
            words: list[dict[str, object]] = [{"text": word} for word in answer.words]
            pieces = [*_thoughts(answer), *words, *self._calls(answer)]
            for piece in pieces:
                said += 1
                yield self._event(answer, _candidate(index, [piece]), said, 1)
            last: dict[str, object] = {"text": ""}
            if self.signature and not answer.ok.tool_calls:
                last["thoughtSignature"] = self.signature
            yield self._event(answer, _candidate(index, [last], _finish(answer)), None)

    def error(self, status: Status) -> bytes:
        message, word = ERRORS.get(status.code, ERRORS[500])
        return rpc_error(status.code, status.message or message, status.error_type or word)

    def _event(
        self, answer: Answer, candidate: dict[str, object], said: int | None, tokens: int = 0
    ) -> Send:
        """`said` of `None` is the end: all is counted."""
        usage = answer.tokens if said is None else Tokens(answer.tokens.input, said)
        document = _document(answer, [candidate], usage)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ": "))
        return Send(f"data: {text}\r\n\r\n".encode(), tokens)

    def _plain_text(self, answer: Answer) -> Iterator[dict[str, object]]:
        signed = self.signature and not answer.ok.tool_calls
        if answer.text or signed:
            part: dict[str, object] = {"text": answer.text}
            yield part | ({"thoughtSignature": self.signature} if signed else {})

    def _calls(self, answer: Answer) -> Iterator[dict[str, object]]:
        for place, call in enumerate(answer.ok.tool_calls):
            named = {"id": call.id} if call.id else {}
            said = {"name": call.name, "args": json.loads(call.arguments), **named}
            signed = self.signature and place == 0
            yield {"functionCall": said} | ({"thoughtSignature": self.signature} if signed else {})


class GeminiProvider(StubProvider):
    """At `f"{url}/v1beta"`."""

    def __init__(self, default: Behaviour = Ok(), *, signature: str = "") -> None:  # noqa: B008  # immutable
        super().__init__(default=default)
        self._dialect = Gemini(signature)

    def _routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/v1beta/models/{model}:generateContent", self._generate)
        router.add_post("/v1beta/models/{model}:streamGenerateContent", self._generate)
        router.add_post("/v1beta/models/{model}:batchEmbedContents", self._embed)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request, request.match_info["model"])
        wrong = complaint(seen.body, strict=bool(self._dialect.signature))
        if wrong is not None:
            body = rpc_error(400, wrong, "INVALID_ARGUMENT")
            return web.Response(status=400, body=body, content_type="application/json")
        return await self._answer(request, seen, self._dialect, self._asked(seen))

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request, request.match_info["model"])
        if (wrong := embeddings_complaint(seen.body, seen.model)) is not None:
            body = rpc_error(400, wrong, "INVALID_ARGUMENT")
            return web.Response(status=400, body=body, content_type="application/json")
        asked = Asked(len(self.requests), seen.model, stream=False, prompt_bytes=0, max_tokens=0)
        return await self._answer(request, seen, GeminiEmbeddings.of(seen.body), asked)

    def _asked(self, seen: Seen) -> Asked:
        found = seen.body.get("generationConfig")
        config: Mapping[str, Any] = found if isinstance(found, dict) else {}
        return Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.path.endswith(":streamGenerateContent") and seen.query.get("alt") == "sse",
            prompt_bytes=len(json.dumps(seen.body.get("contents"))),
            max_tokens=config.get("maxOutputTokens"),
            choices=config.get("candidateCount", 1),
        )


def _thoughts(answer: Answer) -> list[dict[str, object]]:
    """One of a stream; a plain answer has one too."""
    return [{"text": answer.ok.reasoning, "thought": True}] if answer.ok.reasoning else []


def _finish(answer: Answer) -> str:
    return FINISHES.get(answer.finish, answer.finish)


def _candidate(
    index: int, parts: list[dict[str, object]], finish: str | None = None
) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"parts": parts, "role": "model"}}
    return candidate | ({"finishReason": finish} if finish else {}) | {"index": index}


def _document(
    answer: Answer, candidates: list[dict[str, object]], tokens: Tokens
) -> dict[str, object]:
    return {
        "candidates": candidates,
        "usageMetadata": _usage(tokens),
        "modelVersion": answer.asked.model,
        "responseId": f"stub{answer.asked.serial}",
    }


def _usage(tokens: Tokens) -> dict[str, object]:
    """A count of zero is left out."""
    counts = {
        "promptTokenCount": tokens.input,
        "candidatesTokenCount": tokens.output - tokens.reasoning,
        "totalTokenCount": tokens.input + tokens.output,
        "cachedContentTokenCount": tokens.cached,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens.input}],
        "thoughtsTokenCount": tokens.reasoning,
    }
    return {name: count for name, count in counts.items() if count}
