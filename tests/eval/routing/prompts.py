"""The labelled requests of the routing evaluation, and how a client would send them.

`README.md` beside this file says what the labels mean. Nothing here knows the classifier.
"""

import base64
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from penstock_config.classification import Complexity, Task

HERE: Final = Path(__file__).parent
TUNING: Final = HERE / "tuning.jsonl"
SECOND_HAND: Final = HERE / "second_hand.jsonl"
"""Written without a look at the lexicon or at the other files; the table never learns from it."""
HELD_BACK: Final = HERE / "held_back.jsonl"
"""Not in the tree until the classifier has been tuned; `held_back.sha256` vouches for it."""

Language = Literal[
    "ar", "cs", "de", "en", "es", "fr", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr",
    "uk", "zh",
]  # fmt: skip
"""ISO 639-1, of the last user's words (of what they ask, where they paste something else)."""
Kind = Literal[
    "plain",
    "adversarial-code-without-code",
    "adversarial-code-words",
    "adversarial-language",
    "adversarial-long-but-trivial",
    "adversarial-names-another-task",
    "adversarial-quoted-instruction",
    "adversarial-short-but-hard",
    "adversarial-typos",
]
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Finds a record of the application by its name.",
        "parameters": {
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
    },
}
"""Says nothing of the task: many applications send their tools with every request."""


class Message(BaseModel):
    """One turn, in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


class _Line(BaseModel):
    """A line of the files."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str = Field(pattern=r"^p\d{4}$")
    task: Task
    complexity: Complexity
    messages: tuple[Message, ...] = Field(min_length=1, strict=False)
    images: int = Field(ge=0, le=8)
    tools: bool
    language: Language
    source: Literal["written", "clinc150", "banking77"]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request with what two careful people would say of it."""

    id: str
    task: Task
    complexity: Complexity
    messages: tuple[Message, ...]
    images: int
    """Pictures beside the last user's words."""
    tools: bool
    language: Language
    source: str
    kind: Kind

    def body(self) -> bytes:
        """The request as an OpenAI client sends it: JSON of `POST /v1/chat/completions`."""
        messages: list[dict[str, Any]] = [m.model_dump() for m in self.messages]
        if self.images:
            messages[-1]["content"] = _with_pictures(self.messages[-1].content, self.images)
        document: dict[str, Any] = {"model": "auto", "messages": messages}
        if self.tools:
            document["tools"] = [_TOOL]
        return json.dumps(document, ensure_ascii=False).encode()


def load(path: Path) -> tuple[Prompt, ...]:
    """The prompts of a file of JSON lines, in its order; `ValidationError` for a bad line."""
    lines = path.read_text("utf-8").splitlines()
    return tuple(_prompt(_Line.model_validate_json(line)) for line in lines)


def _prompt(line: _Line) -> Prompt:
    return Prompt(**{name: getattr(line, name) for name in _Line.model_fields})


def _with_pictures(words: str, count: int) -> Sequence[Mapping[str, Any]]:
    pictures = ({"type": "image_url", "image_url": {"url": _url(n)}} for n in range(count))
    return [{"type": "text", "text": words}, *pictures]


def _url(shade: int) -> str:
    """A PNG of one grey pixel, so that pictures of one request differ."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes((0, shade)))), (b"IEND", b""))
    png = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
