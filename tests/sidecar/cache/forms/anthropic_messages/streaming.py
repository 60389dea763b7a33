"""Messages, and Anthropic who streams them."""

from collections.abc import Iterator

import orjson
from hypothesis import strategies as st

from tests.sidecar.cache.forms.cutting import (
    Document,
    counts,
    cut,
    json_objects,
    names,
    texts,
    words,
)

PING: Document = {"type": "ping"}

citations = st.builds(
    lambda text, index: {
        "type": "char_location",
        "cited_text": text,
        "document_index": index,
        "document_title": None,
        "start_char_index": 0,
        "end_char_index": len(text),
    },
    words,
    st.integers(0, 3),
)
spoken = st.builds(
    lambda text, cited: {"type": "text", "text": text, **({"citations": cited} if cited else {})},
    words,
    st.lists(citations, max_size=2),
)
thoughts = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
    st.just("") | texts,
    st.just("") | names,
)
hidden = st.builds(lambda data: {"type": "redacted_thinking", "data": data}, names)
calls = st.builds(
    lambda name, number, given: {
        "type": "tool_use",
        "id": f"toolu_{number}",
        "name": name,
        "input": given,
    },
    names,
    st.integers(0, 99),
    json_objects,
)


@st.composite
def messages(draw: st.DrawFn) -> Document:
    thought = draw(st.lists(thoughts | hidden, max_size=2))
    said = draw(st.lists(spoken | calls, min_size=1, max_size=3))
    called = any(block["type"] == "tool_use" for block in said)
    sequence = None if called else draw(st.none() | names)
    reason = "tool_use" if called else "stop_sequence" if sequence else "end_turn"
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-opus-4-7",
        "content": [*thought, *said],
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": {
            "input_tokens": draw(counts),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": draw(counts),
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": draw(counts),
            "service_tier": "standard",
        },
    }


@st.composite
def streams(draw: st.DrawFn, message: Document) -> list[Document]:
    """A ping may come at any time."""
    sent = list(_events(draw, message))
    sent.insert(draw(st.integers(1, len(sent) - 1)), PING)
    return sent


def _events(draw: st.DrawFn, message: Document) -> Iterator[Document]:
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]}
    usage = message["usage"]
    begun = {
        **message,
        **dict.fromkeys(stop),
        "content": [],
        "usage": {**usage, "output_tokens": 1},
    }
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(message["content"]):
        at = {"index": index}
        yield {"type": "content_block_start", **at, "content_block": _begun(block)}
        for delta in _deltas(draw, block):
            yield {"type": "content_block_delta", **at, "delta": delta}
        yield {"type": "content_block_stop", **at}
    counted = {"output_tokens": usage["output_tokens"]}
    yield {"type": "message_delta", "delta": stop, "usage": counted}
    yield {"type": "message_stop"}


def _begun(block: Document) -> Document:
    empty: Document = {"text": "", "citations": [], "thinking": "", "signature": "", "input": {}}
    return {name: empty.get(name, value) for name, value in block.items()}


def _deltas(draw: st.DrawFn, block: Document) -> Iterator[Document]:
    match block["type"]:
        case "text" | "thinking" as name:
            for piece in cut(draw, block[name]):
                yield {"type": f"{name}_delta", name: piece}
        case "tool_use":
            given = orjson.dumps(block["input"]).decode() if block["input"] else ""
            for piece in ["", *cut(draw, given)]:
                yield {"type": "input_json_delta", "partial_json": piece}
        case _:
            pass
    for citation in block.get("citations", []):
        yield {"type": "citations_delta", "citation": citation}
    if signature := block.get("signature"):
        yield {"type": "signature_delta", "signature": signature}
