"""Goes on from what was said before, for requests that name a session and resend nothing.

```
opened -> (route) -> shortened -> remembering -> the answer's end: appended -> summed up
```
Nothing here fails a request: without Redis it goes on as it is, and a header says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_config.policy import Memory
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import MalformedRequest, SessionNotFound, SessionsUnavailable
from penstock_sidecar.listening import Overheard
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.model import Caller, Candidate, Reply, Request
from penstock_sidecar.sessions.fitting import fitting, room
from penstock_sidecar.sessions.heard import SIDES, Heard
from penstock_sidecar.sessions.place import kept_message, place_of_turn, with_history
from penstock_sidecar.sessions.shelf import MAX_TURN_BYTES, Pieces, Shelf
from penstock_sidecar.sessions.summaries import Summaries
from penstock_sidecar.store import StoreUnavailable

HEADER: Final = "x-penstock-session"
MAX_NAME_CHARACTERS: Final = 256
State = Literal["new", "resumed", "unavailable", "unused"]
"""What the caller is told. `unused`: he resends the conversation, or is nobody in particular."""


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """One request's. `bare` is as it came; `key` is empty for one that is left alone."""

    sessions: "Sessions"
    caller: Caller
    bare: Request
    state: State
    key: str = ""
    place: int = 0
    pieces: Pieces = ()
    erased: bytes = b""
    """Of `Found`."""

    @property
    def request(self) -> Request:
        """With all that is remembered."""
        return with_history(self.bare, self.place, self.pieces)

    def shortened(self, candidates: Sequence[Candidate]) -> Request | None:
        """With as much of the past as `candidates` take; None where that is all of it."""
        if not self.pieces:
            return None
        sight = bool(self.bare.images) or any("vision" in c.model.capabilities for c in candidates)
        own_tokens = estimate_input(self.bare).tokens
        left = room(candidates, self.bare, own_tokens, self.sessions.limits)
        kept = fitting(self.pieces, left, sight=sight)
        return None if kept == self.pieces else with_history(self.bare, self.place, kept)

    def remembering(self, reply: Reply) -> Reply:
        """The same reply; the turn is kept before the caller has all of the answer."""
        request = self.bare
        if not self.key or request.api not in SIDES or request.cache_control.no_store:
            return reply
        heard = Heard(request.api, stream=request.stream, max_characters=MAX_TURN_BYTES)
        kept = False

        async def hear(data: bytes) -> None:
            nonlocal kept
            heard.add(data)
            if not kept and (said := heard.said):
                kept = True
                await self.sessions.keep(self, said)

        return Overheard(reply, hear)


class Sessions:
    """Of one policy."""

    def __init__(
        self,
        memory: Memory,
        shelf: Shelf | None,
        summaries: Summaries | None,
        limits: Sequence[RateLimits] = (),
    ) -> None:
        self.limits: Final = limits
        """The callers' own, those that are enforced."""
        self._shelf = shelf
        self._summaries = summaries if memory.summarise else None

    async def opened(self, request: Request, caller: Caller) -> Session | None:
        """None where the request names none. Raises `MalformedRequest`."""
        name = request.headers.get(HEADER)
        if name is None:
            return None
        key = self._key(name, caller)
        place = place_of_turn(request)
        if self._shelf is None:
            return Session(self, caller, request, "unavailable")
        if key is None or place is None:
            return Session(self, caller, request, "unused")
        try:
            found = await self._shelf.found(key)
        except StoreUnavailable:
            return Session(self, caller, request, "unavailable", key, place)
        pieces = tuple(p for p in found.pieces if p.told_in(request.api))
        state: State = "resumed" if found.pieces else "new"
        return Session(self, caller, request, state, key, place, pieces, found.erased)

    async def keep(self, session: Session, answer: str) -> None:
        """Adds the turn as a whole. Forgets rather than fails."""
        request, shelf = session.bare, self._shelf
        if shelf is None:
            return
        user, resumed = kept_message(request, session.place), session.state == "resumed"
        try:
            older = await shelf.append(
                session.key, request.api, user, answer, resumed=resumed, erased=session.erased
            )
        except StoreUnavailable:
            return
        if older and self._summaries:
            self._summaries.begin(session.key, older, session.caller, request.headers)

    async def forget(self, name: str, caller: Caller) -> None:
        """Raises `SessionNotFound`, also for somebody else's, and `SessionsUnavailable`."""
        key = self._key(name, caller)
        try:
            gone = key is not None and self._shelf is not None and await self._shelf.erase(key)
        except StoreUnavailable:
            raise SessionsUnavailable(
                "Redis is away, and with it all sessions: try again", retry_after_seconds=1
            ) from None
        if not gone:
            raise SessionNotFound("no such session is kept for this caller")

    async def close(self) -> None:
        if self._summaries:
            await self._summaries.close()

    def _key(self, name: str, caller: Caller) -> str | None:
        if not (1 <= len(name) <= MAX_NAME_CHARACTERS and name.isascii() and name.isprintable()):
            raise MalformedRequest(
                f"{HEADER} must be 1 to {MAX_NAME_CHARACTERS} printable ASCII characters",
                param=HEADER,
            )
        return self._shelf.key(caller, name) if self._shelf else None
