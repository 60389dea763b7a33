"""Odd variants of recorded bytes: cut, spliced, repeated, and with other values in their JSON."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from hypothesis import strategies as st

DEEP: Final = 300
FRAME: Final = re.compile(rb"(?<=\n\n)|(?<=\n\r\n)")
LINE: Final = re.compile(rb"(?<=\n)")
DATA: Final = re.compile(
    rb"^(?P<before>(?:event:[^\n]*\n)?data: ?)(?P<json>\{.*\})(?P<end>\s*)$", re.DOTALL
)


def _nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 0.5, 1e300, float("nan"), float("inf"), 2**31, 2**63, 2**64,
    10**400, "", " ", "x", "\ud83d", "\x00", "0", "null", "{}", "[", "é",
    [], {}, [None], [[]], [{}], [""], {"": None}, {"type": None}, {"text": {}}, {"index": "0"},
    {"index": -1}, {"index": 10**9}, {"content": [{"type": "text"}]}, _nested(5), _nested(DEEP),
)  # fmt: skip
"""What may stand where something else should."""
RAW: Final = (
    b"", b"\n", b"\n\n", b"\r\n\r\n", b"\r", b"data:", b"data: ", b"data: [DONE]\n\n",
    b"event: error\n", b": comment\n\n", b"{}", b"{", b"[]\n", b"null\n", b"\xff", b"\xef\xbb\xbf",
    b"\xc3", b'"\\ud800"', b"id: 1\nretry: 5\n", b"data: {}\n\n", b"{}\n", b"\x00",
)  # fmt: skip
"""Bytes that mean something in one of the framings."""
Edit = Callable[[bytes], bytes]


def mutants(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Of one seed, or of two that are spliced."""

    @st.composite
    def mutant(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(seeds))
        for _ in range(draw(st.integers(0, 4))):
            data = draw(st.sampled_from(EDITS))(draw, data, seeds)
        return data

    return mutant()


def json_mutants(seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Of whole documents."""

    @st.composite
    def mutant(draw: st.DrawFn) -> bytes:
        data = draw(st.sampled_from(seeds))
        for _ in range(draw(st.integers(1, 4))):
            data = _json_edit(draw, data, seeds)
        return data

    return mutant()


def cuts(data: bytes, places: Sequence[int]) -> Iterator[bytes]:
    """Segments that end at these places."""
    start = 0
    for place in sorted(place % (len(data) + 1) for place in places):
        yield data[start:place]
        start = place
    yield data[start:]


PLACES: Final = st.lists(st.integers(0, 20_000), max_size=12)


def _bytes_edit(draw: st.DrawFn, data: bytes, _: Sequence[bytes]) -> bytes:
    at, length = draw(st.integers(0, len(data))), draw(st.sampled_from((0, 0, 1, 2, 10, 1000)))
    new = draw(st.one_of(st.sampled_from(RAW), st.binary(max_size=8)))
    return data[:at] + new + data[at + length :]


def _splice(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    other = draw(st.sampled_from(seeds))
    return data[: draw(st.integers(0, len(data)))] + other[draw(st.integers(0, len(other))) :]


def _frames_edit(draw: st.DrawFn, data: bytes, _: Sequence[bytes]) -> bytes:
    """One left out, said twice, or said elsewhere."""
    frames = _split(data)
    one, other = (draw(st.integers(0, len(frames) - 1)) for _ in range(2))
    match draw(st.sampled_from(("drop", "twice", "swap"))):
        case "drop":
            del frames[one]
        case "twice":
            frames.insert(other, frames[one])
        case _:
            frames[one], frames[other] = frames[other], frames[one]
    return b"".join(frames)


def _document_edit(draw: st.DrawFn, data: bytes, seeds: Sequence[bytes]) -> bytes:
    frames = _split(data)
    place = draw(st.integers(0, len(frames) - 1))
    if found := DATA.match(frames[place]):
        edited = _json_edit(draw, found["json"], seeds)
        frames[place] = found["before"] + edited + found["end"]
    else:
        frames[place] = _json_edit(draw, frames[place].rstrip(), seeds) + b"\n"
    return b"".join(frames)


EDITS: Final = (_document_edit, _document_edit, _document_edit, _frames_edit, _bytes_edit, _splice)


def _split(data: bytes) -> list[bytes]:
    pattern = LINE if data.startswith(b"{") else FRAME
    return [frame for frame in pattern.split(data) if frame] or [b""]


def _json_edit(draw: st.DrawFn, data: bytes, _: Sequence[bytes]) -> bytes:
    """A value somewhere in it is another, gone, or there twice; what is no JSON stays."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if isinstance(document, dict | list) and document:
        _change_somewhere(draw, document)
    try:
        return json.dumps(document).encode()
    except RecursionError:
        return data


def _change_somewhere(draw: st.DrawFn, value: Any) -> None:
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw(st.sampled_from(keys))
        inner = value[key]
        if not (isinstance(inner, dict | list) and inner and draw(st.booleans())):
            break
        value = inner
    match draw(st.sampled_from(("odd", "odd", "odd", "gone", "twice", "text"))):
        case "odd":
            value[key] = draw(st.sampled_from(ODD))
        case "gone":
            del value[key]
        case "twice" if isinstance(value, list):
            value.append(inner)
        case _:
            value[key] = draw(st.text(max_size=5))
