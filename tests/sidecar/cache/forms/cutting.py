"""Streams cut where hypothesis likes, and put together again."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st

from penstock_sidecar.cache.forms import Form
from tests.sidecar.cache.builders import USAGE

Document = dict[str, Any]
steady = settings(deadline=None, derandomize=True, max_examples=40)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
words = texts.filter(str.strip)
names = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
counts = st.integers(0, 10**6)
json_objects = st.dictionaries(
    names,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=3,
)


def cut(draw: st.DrawFn, text: str) -> list[str]:
    """In pieces, none of them empty."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=4))
    return [text[a:b] for a, b in pairwise(sorted({0, *places, len(text)}))]


def cut_bytes(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """As a network might, within characters too."""
    places = draw(st.lists(st.integers(0, len(data)), max_size=8))
    return [data[a:b] for a, b in pairwise(sorted({0, *places, len(data)}))]


def sse(documents: Iterable[Document]) -> bytes:
    """Named, where a document says its type."""
    return b"".join(
        (b"event: %s\n" % str(document["type"]).encode() if "type" in document else b"")
        + b"data: %s\n\n" % orjson.dumps(document)
        for document in documents
    )


def events(pieces: Iterable[bytes]) -> list[Document]:
    """The documents of server-sent events, each a piece of its own."""
    found = []
    for piece in pieces:
        *name, data = piece.removesuffix(b"\n\n").split(b"\n")
        if data == b"data: [DONE]":
            continue
        document = orjson.loads(data.removeprefix(b"data: "))
        assert name == ([b"event: " + document["type"].encode()] if "type" in document else [])
        found.append(document)
    return found


def assembled(form: Form, pieces: Iterable[bytes]) -> Document:
    assert form.streams
    assembly = form.streams.assembly()
    for piece in pieces:
        assembly.add(piece)
    return dict(assembly.document(USAGE))


def replayed(form: Form, document: Document, *, usage_wanted: bool = True) -> Sequence[bytes]:
    assert form.streams
    return list(form.streams.replayed(document, usage_wanted))
