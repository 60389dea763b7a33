"""A whole answer, put together from its pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Event,
    Finish,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.model import JsonObject, Usage


@dataclass(slots=True, repr=False)
class Call:
    id: str = ""
    name: str = ""
    arguments: str = ""
    signature: str | None = None


@dataclass(slots=True, repr=False)
class Thought:
    text: str = ""
    signature: str | None = None
    redacted: str | None = None


Block = str | Thought | Call
"""A text, a thought or a call."""


@dataclass(slots=True, repr=False)
class Choice:
    """One answer of those asked for. `blocks` is all of it in its order, refusals left out."""

    blocks: list[Block] = field(default_factory=list)
    refusal: str = ""
    finish: Finish = "stop"
    stop_sequence: str | None = None
    logprobs: list[JsonObject] = field(default_factory=list)
    _calls: dict[int, Call] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(block for block in self.blocks if isinstance(block, str))

    @property
    def thought(self) -> str:
        return "".join(block.text for block in self.blocks if isinstance(block, Thought))

    @property
    def calls(self) -> list[Call]:
        return [block for block in self.blocks if isinstance(block, Call)]

    def add(self, event: TextPiece | RefusalPiece | ThoughtPiece | CallPiece | Finished) -> None:
        match event:
            case TextPiece():
                self._add_text(event)
            case RefusalPiece():
                self.refusal += event.text
            case ThoughtPiece():
                self._add_thought(event)
            case CallPiece():
                self._add_call(event)
            case Finished():
                self.finish, self.stop_sequence = event.reason, event.stop_sequence

    def _add_text(self, piece: TextPiece) -> None:
        self.logprobs.extend(piece.logprobs)
        if self.blocks and isinstance(self.blocks[-1], str):
            self.blocks[-1] += piece.text
        else:
            self.blocks.append(piece.text)

    def _add_thought(self, piece: ThoughtPiece) -> None:
        last = self.blocks[-1] if self.blocks else None
        if not isinstance(last, Thought) or last.signature or last.redacted or piece.redacted:
            last = Thought(redacted=piece.redacted)
            self.blocks.append(last)
        last.text += piece.text
        last.signature = piece.signature or last.signature

    def _add_call(self, piece: CallPiece) -> None:
        call = self._calls.get(piece.index)
        if call is None:
            call = self._calls[piece.index] = Call()
            self.blocks.append(call)
        call.id, call.name = call.id or piece.id, call.name or piece.name
        call.arguments += piece.arguments
        call.signature = piece.signature or call.signature


@dataclass(slots=True, repr=False)
class Whole:
    id: str = ""
    model: str = ""
    usage: Usage | None = None
    _choices: dict[int, Choice] = field(default_factory=dict)

    @property
    def choices(self) -> list[tuple[int, Choice]]:
        return sorted(self._choices.items())

    @property
    def first(self) -> Choice:
        """The only one, for callers who cannot ask for more."""
        return self._choices.get(0) or Choice()

    def add(self, event: Event) -> None:
        match event:
            case Started():
                self.id, self.model = event.id, event.model
            case Counted():
                self.usage = event.usage
            case TextPiece() | RefusalPiece() | ThoughtPiece() | CallPiece() | Finished():
                self._choices.setdefault(event.choice, Choice()).add(event)
            case _:
                pass


def whole(events: Sequence[Event]) -> Whole:
    found = Whole()
    for event in events:
        found.add(event)
    return found
