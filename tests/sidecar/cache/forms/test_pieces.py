"""Frames of a stream, told apart as the sidecar's other readers tell them apart."""

import orjson
import pytest

from penstock_sidecar.cache.forms import NotUnderstood
from penstock_sidecar.cache.forms.pieces import PIECE_CHARACTERS, Frames, texts_of
from penstock_sidecar.dialects.framing import LINES, SSE, Framing
from penstock_sidecar.dialects.splitter import MAX_EVENT_BYTES

ONE, TWO = {"a": 1}, {"b": "\u2028"}
STREAMS: dict[str, tuple[Framing, bytes]] = {
    "events": (SSE, b'data: {"a":1}\n\ndata: {"b":"\xe2\x80\xa8"}\n\n'),
    "events of Windows": (SSE, b'data: {"a":1}\r\n\r\ndata:{"b":"\xe2\x80\xa8"}\r\n\r\n'),
    "comments and the end": (
        SSE,
        b': hello\n\n\n\ndata: {"a":1}\n\n: ping\n\ndata: {"b":"\xe2\x80\xa8"}\n\ndata: [DONE]\n\n',
    ),
    "names and several lines": (
        SSE,
        b'event: x\nid: 7\ndata: {"a":\ndata: 1}\n\ndata: {"b":"\xe2\x80\xa8"}\n\n',
    ),
    "lines": (LINES, b'{"a":1}\n{"b":"\xe2\x80\xa8"}\n'),
    "lines of Windows, and empty ones": (LINES, b'\r\n{"a":1}\r\n\n{"b":"\xe2\x80\xa8"}\r\n'),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_documents_come_however_their_bytes_were_cut(name: str, size: int) -> None:
    framing, data = STREAMS[name]
    frames = Frames(framing)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert [found for piece in pieces for found in frames.documents(piece)] == [ONE, TWO]
    frames.end()


def test_a_whole_one_after_half_of_another_is_the_other_s_end() -> None:
    frames = Frames(LINES)
    assert list(frames.documents(b'{"a":')) == []
    assert list(frames.documents(b"1}\n")) == [ONE]
    assert list(frames.documents(b'{"a":1}\n')) == [ONE]


def test_half_of_one_is_no_end() -> None:
    frames = Frames(SSE)
    assert list(frames.documents(b'data: {"a":1}\n')) == []
    with pytest.raises(NotUnderstood):
        frames.end()


def test_one_beyond_all_bounds_is_not_waited_for() -> None:
    frames = Frames(LINES)
    with pytest.raises(NotUnderstood):
        list(frames.documents(b"x" * (MAX_EVENT_BYTES + 1)))


@pytest.mark.parametrize("length", [0, 1, PIECE_CHARACTERS, PIECE_CHARACTERS + 1])
def test_text_is_cut_and_nothing_is_lost(length: int) -> None:
    text = "é" * length
    pieces = list(texts_of(text))
    assert "".join(pieces) == text
    assert all(0 < len(orjson.dumps(piece)) < 16_384 for piece in pieces)
