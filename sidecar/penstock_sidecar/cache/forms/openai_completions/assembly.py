"""From the chunks of a stream to the plain completion."""

from dataclasses import dataclass, field

import orjson

from penstock_sidecar.cache.forms.openai_chunks import Chunks
from penstock_sidecar.cache.forms.pieces import agree, list_in, object_in, text_in
from penstock_sidecar.model import JsonObject


def assembly() -> Chunks:
    """Chunks go in, one completion comes out."""
    return Chunks(_Choice)


@dataclass(slots=True)
class _Choice:
    _texts: list[str] = field(default_factory=list)
    _finish: object = None
    _logprobs: dict[str, list[object]] = field(default_factory=dict)
    _fields: dict[str, object] = field(default_factory=dict)

    def add(self, choice: JsonObject) -> int:
        """Says how many characters are held of it."""
        text = text_in(choice.get("text") or "")
        self._texts.append(text)
        held = len(text)
        for name, value in choice.items():
            match name:
                case "index" | "text":
                    pass
                case "finish_reason":
                    self._finish = value or self._finish
                case "logprobs":
                    held += self._add_logprobs(object_in(value or {}))
                case _:
                    agree(self._fields, name, value)
        return held

    def document(self, index: int) -> dict[str, object]:
        return {
            **self._fields,
            "text": "".join(self._texts),
            "index": index,
            "logprobs": self._logprobs or None,
            "finish_reason": self._finish,
        }

    def _add_logprobs(self, logprobs: JsonObject) -> int:
        """Lists beside each other, an entry for each token."""
        for name, value in logprobs.items():
            if value is not None:
                self._logprobs.setdefault(name, []).extend(list_in(value))
        return len(orjson.dumps(logprobs))
