"""An answer before it has a dialect: its pieces, its finish and its tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock_cli.stub.behaviour import Ok, Tokens

BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides its answer."""

    serial: int
    model: str
    stream: bool
    prompt_bytes: int
    max_tokens: int | None = None
    choices: int = 1
    include_usage: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What `Ok` means for one request. `words` joined are the text."""

    asked: Asked
    ok: Ok
    words: tuple[str, ...]
    finish: str
    tokens: Tokens
    """All choices together."""

    @property
    def text(self) -> str:
        return "".join(self.words)


def answer(ok: Ok, asked: Asked) -> Answer:
    """Cut to `max_tokens` unless `ok` states its usage; `finish` follows from what is there."""
    text = f"This is {asked.model} speaking." if ok.text is None else ok.text
    words = tuple(word for word in text.replace(" ", " \0").split("\0") if word)
    limit = None if ok.usage else asked.max_tokens
    cut = limit is not None and len(words) > limit
    words = words[:limit] if cut else words
    tokens = ok.usage or Tokens(
        max(1, asked.prompt_bytes // BYTES_PER_TOKEN), _output(ok, words) * asked.choices
    )
    finish = ok.finish or ("length" if cut else "tool_calls" if ok.tool_calls else "stop")
    return Answer(asked, ok, words, finish, tokens)


def _output(ok: Ok, words: Sequence[str]) -> int:
    return len(words) + len(ok.tool_calls) + len(ok.reasoning.split()) + len(ok.refusal.split())
