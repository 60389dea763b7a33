"""Composes an answer: pieces in, the API's events out, and the whole response at the end.

A message and a thought end where something else begins. Calls stay open to the end: providers may
send their arguments in turns.
"""

from typing import Final

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.openai_responses import document
from penstock_sidecar.dialects.openai_responses.written import (
    Call,
    Events,
    Item,
    Message,
    Place,
    Reasoning,
    Status,
    added,
    closed,
)
from penstock_sidecar.model import JsonObject, Usage

PREFIXES: Final[dict[type[Item], str]] = {Message: "msg", Reasoning: "rs", Call: "fc"}


class Composer:
    """Of the first choice; the API knows no other."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._model = ""
        self._open: list[Item] = []
        self._done: dict[int, JsonObject] = {}
        self._begun = 0
        self._calls: dict[int, Call] = {}
        self._finish: Finish = "stop"
        self._usage: Usage | None = None

    def events(self, event: Event) -> Events:
        match event:
            case Started():
                self._model = event.model
                response = document.begun(self._identity, self._model)
                yield {"type": "response.created", "response": response}
                yield {"type": "response.in_progress", "response": response}
            case Counted():
                self._usage = event.usage
            case Finished():
                self._finish = event.reason
                yield from self._close_all()
            case Ended():
                yield from self._close_all()
                response = self.response()
                yield {"type": f"response.{response['status']}", "response": response}
            case TextPiece() | RefusalPiece() | ThoughtPiece() | CallPiece() if not event.choice:
                yield from self._piece(event)
            case _:
                pass

    def response(self) -> dict[str, object]:
        """Once it has ended."""
        output = [self._done[index] for index in sorted(self._done)]
        return document.ended(self._identity, self._model, self._finish, output, self._usage)

    def _piece(self, piece: TextPiece | RefusalPiece | ThoughtPiece | CallPiece) -> Events:
        match piece:
            case TextPiece() | RefusalPiece():
                yield from self._message(piece)
            case ThoughtPiece():
                yield from self._thought(piece)
            case CallPiece():
                yield from self._call(piece)

    def _message(self, piece: TextPiece | RefusalPiece) -> Events:
        message = self._last()
        if not isinstance(message, Message):
            message = Message(self._place(Message))
            yield from self._begin(message)
        yield from message.add(piece)

    def _thought(self, piece: ThoughtPiece) -> Events:
        thought = self._last()
        if not isinstance(thought, Reasoning) or not thought.takes(piece):
            thought = Reasoning(self._place(Reasoning))
            yield from self._begin(thought)
        yield from thought.add(piece)

    def _call(self, piece: CallPiece) -> Events:
        call = self._calls.get(piece.index)
        if call is None:
            call = Call(self._place(Call), self._call_id(piece), piece.name)
            self._calls[piece.index] = call
            yield from self._begin(call)
        yield from call.add(piece)

    def _call_id(self, piece: CallPiece) -> str:
        """Ours, where the provider gives none, or one that another call has: results name it."""
        taken = {call.id for call in self._calls.values()}
        if piece.id and piece.id not in taken:
            return piece.id
        return self._identity.tool_call_id(piece.index)

    def _begin(self, item: Item) -> Events:
        """Nothing but calls stays open beside it."""
        for former in [item for item in self._open if not isinstance(item, Call)]:
            yield from self._close(former, "completed")
        self._open.append(item)
        self._begun += 1
        yield added(item)

    def _close(self, item: Item, status: Status) -> Events:
        yield from closed(item, status)
        self._open.remove(item)
        self._done[item.place.output_index] = item.document(status)

    def _close_all(self) -> Events:
        status: Status = "incomplete" if self._finish in document.INCOMPLETE else "completed"
        for item in list(self._open):
            yield from self._close(item, status)

    def _last(self) -> Item | None:
        """What is being said, if it is still open."""
        return self._open[-1] if self._open else None

    def _place(self, kind: type[Item]) -> Place:
        return Place(self._begun, f"{PREFIXES[kind]}_{self._identity.call_id}_{self._begun}")
