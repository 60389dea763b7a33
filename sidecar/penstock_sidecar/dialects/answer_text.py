"""The words of a request's question and of its answer, read again in the caller's dialect.

Only where something must be judged by them; nothing is kept.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from penstock_sidecar.dialects import (
    anthropic,
    ollama,
    ollama_generate,
    openai_chat,
    openai_completions,
    openai_responses,
)
from penstock_sidecar.dialects.dialect import (
    CallerSide,
    Garbled,
    ProviderSide,
    SaidError,
    Unspeakable,
)
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import Event, RefusalPiece, TextPiece
from penstock_sidecar.dialects.prompt import Prompt, Text
from penstock_sidecar.dialects.quirks import PLAIN
from penstock_sidecar.dialects.splitter import EventTooLarge, Splitter
from penstock_sidecar.dialects.sse import DONE
from penstock_sidecar.errors import CallerError
from penstock_sidecar.model import Api, Request

ANSWERS: Final[Mapping[Api, ProviderSide[Any]]] = {
    "openai-chat": openai_chat.providers(PLAIN),
    "openai-completions": openai_completions.PROVIDERS,
    "openai-responses": openai_responses.PROVIDERS,
    "anthropic-messages": anthropic.PROVIDERS,
    "ollama-chat": ollama.PROVIDERS,
    "ollama-generate": ollama_generate.PROVIDERS,
}
QUESTIONS: Final[Mapping[Api, CallerSide[Prompt]]] = {
    "openai-chat": openai_chat.CALLERS,
    "openai-completions": openai_completions.CALLERS,
    "openai-responses": openai_responses.CALLERS,
    "anthropic-messages": anthropic.CALLERS,
    "ollama-chat": ollama.CALLERS,
    "ollama-generate": ollama_generate.CALLERS,
}
UNREADABLE: Final = (Garbled, SaidError, EventTooLarge, ValueError)


def question_bytes(request: Request) -> int:
    """UTF-8 bytes of what the user said last; 0 where that cannot be read."""
    side = QUESTIONS.get(request.api)
    try:
        prompt = side.read(request.document) if side else None
    except (CallerError, Unspeakable):
        return 0
    turns = (turn for turn in reversed(prompt.turns if prompt else ()) if turn.role == "user")
    parts = next((turn.parts for turn in turns), ())
    return sum(len(p.text.encode("utf-8", "surrogatepass")) for p in parts if isinstance(p, Text))


def answer_text(request: Request, body: bytes) -> str | None:
    """What the model said, refusals included; `None` where that cannot be read."""
    side = ANSWERS.get(request.api)
    if side is None or not request.stream:
        return plain_text(request.api, body)
    return _said(_streamed(side, body, request.choices))


def plain_text(api: Api, body: bytes) -> str | None:
    """The same of an answer that is no stream."""
    side = ANSWERS.get(api)
    return _said(_plain(side, body)) if side else None


def _said(events: Iterator[Event]) -> str | None:
    try:
        return "".join(e.text for e in events if isinstance(e, TextPiece | RefusalPiece))
    except UNREADABLE:
        return None


def _plain(side: ProviderSide[Any], body: bytes) -> Iterator[Event]:
    document = parse(body)
    if isinstance(document, dict):
        yield from side.read_plain(document)


def _streamed(side: ProviderSide[Any], body: bytes, choices: int) -> Iterator[Event]:
    reader, splitter = side.stream_reader(choices), Splitter(side.framing.end)
    splitter.feed(body)
    while frame := splitter.next():
        data = side.framing.payload(frame)
        if not data or data == DONE:
            continue
        document = parse(data)
        if isinstance(document, dict):
            yield from reader.read(document)
