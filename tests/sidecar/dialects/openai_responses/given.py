"""Answers as other providers give them, and what becomes of their events."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finish,
    Finished,
    OtherPiece,
    RefusalPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.openai_responses.reply import ResponsesWriter, write_response
from penstock_sidecar.model import Usage

steady = settings(deadline=None, derandomize=True)
IDENTITY = Identity("call", 1_763_640_000, "fast", usage_wanted=True)
USAGE = Usage(7, 3, cached_input_tokens=2, reasoning_tokens=1)


def answer(*pieces: Event, finish: Finish = "stop") -> list[Event]:
    return [Started("x", "m"), *pieces, Finished(finish), Counted(USAGE), Ended()]


def streamed(events: Sequence[Event], identity: Identity = IDENTITY) -> bytes:
    writer = ResponsesWriter(identity)
    return b"".join(writer.write(event) for event in events)


def documents(data: bytes) -> list[dict[str, Any]]:
    """Each event's; its name must be its type."""
    found = []
    for frame in data.decode().split("\n\n")[:-1]:
        name, line = frame.split("\n")
        document = json.loads(line.removeprefix("data: "))
        assert name == f"event: {document['type']}"
        found.append(document)
    return found


def plain(events: Sequence[Event], identity: Identity = IDENTITY) -> dict[str, Any]:
    return dict(write_response(events, identity))


_TEXT = st.text(min_size=1, max_size=8)
_CALLS = st.builds(
    CallPiece,
    index=st.integers(0, 2),
    id=st.sampled_from(["", "call_x"]),
    name=st.just("f"),
    arguments=st.text(max_size=5),
)
PIECES = st.lists(
    st.one_of(
        st.builds(TextPiece, _TEXT),
        st.builds(RefusalPiece, _TEXT),
        st.builds(ThoughtPiece, _TEXT, st.none() | st.just("signed")),
        st.builds(lambda redacted: ThoughtPiece(redacted=redacted), _TEXT),
        _CALLS,
        st.just(OtherPiece()),
        st.builds(TextPiece, _TEXT, st.just(1)),
    ),
    max_size=12,
)
"""In any order: more than any provider sends."""
FINISHES = st.sampled_from(["stop", "length", "tool_calls", "content_filter"])
