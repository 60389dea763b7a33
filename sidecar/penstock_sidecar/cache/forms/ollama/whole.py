"""Which answers are fit to be kept."""

from collections.abc import Mapping

from penstock_sidecar.cache.forms.ollama.said import CALLS, LOGPROBS, THINKING, Said
from penstock_sidecar.model import JsonObject, Request


def is_whole(said: Said, document: JsonObject, _: Request) -> bool:
    """Ollama says `stop` after calls too, and `load` where a model was only loaded."""
    words = said.of(document)
    return (
        words is not None
        and document.get("done") is True
        and document.get("done_reason") == "stop"
        and not document.get("error")
        and _looks_right(said, words)
        and isinstance(document.get(LOGPROBS), list | None)
        and bool(str(words[said.text]).strip() or words.get(CALLS))
    )


def _looks_right(said: Said, words: JsonObject) -> bool:
    calls = words.get(CALLS)
    return (
        isinstance(words.get(said.text), str)
        and isinstance(words.get(THINKING), str | None)
        and isinstance(calls, list | None)
        and all(isinstance(call, Mapping) for call in calls or ())
    )
