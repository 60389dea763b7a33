"""A provider that streams an answer, cut where hypothesis likes."""

from collections.abc import Iterator

from hypothesis import strategies as st

from tests.sidecar.cache.builders import chunk, completion

Document = dict[str, object]
Deltas = list[dict[str, object]]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
words = texts.filter(str.strip)
extras = words.map(lambda word: {"google": {"thought_signature": word}})
calls = st.builds(
    lambda name, arguments, number, extra: {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **({"extra_content": extra} if extra else {}),
    },
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.text(max_size=30),
    st.integers(0, 99),
    st.none() | extras,
)


@st.composite
def messages(draw: st.DrawFn) -> Document:
    """What one choice says: text, a refusal or tool calls, with or without its reasoning."""
    kind = draw(st.sampled_from(["content", "refusal", "tool_calls"]))
    message: Document = {
        kind: draw(st.lists(calls, min_size=1, max_size=3) if kind == "tool_calls" else words)
    }
    if draw(st.booleans()):
        message["reasoning_content"] = draw(words)
    if draw(st.booleans()):
        message["extra_content"] = draw(extras)
    return message


completions = st.lists(messages(), min_size=1, max_size=3).map(lambda all_: completion(*all_))


@st.composite
def streams(draw: st.DrawFn, of: Document) -> list[Document]:
    """`of` as a provider would stream it: each choice in order, the choices interleaved."""
    waiting = [list(_said_by(draw, choice)) for choice in _objects(of["choices"])]
    sent = []
    while any(waiting):
        index = draw(st.sampled_from([i for i, deltas in enumerate(waiting) if deltas]))
        sent.append(waiting[index].pop(0))
    return sent


def _said_by(draw: st.DrawFn, choice: Document) -> Iterator[Document]:
    index = choice["index"]
    assert isinstance(index, int)
    message = choice["message"]
    assert isinstance(message, dict)
    yield chunk(index, role="assistant")
    for name in ("reasoning_content", "refusal", "content"):
        for piece in _cut(draw, message.get(name) or ""):
            yield chunk(index, **{name: piece})
    if extra := message.get("extra_content"):
        for said in [draw(extras), extra] if draw(st.booleans()) else [extra]:
            yield chunk(index, extra_content=said)
    for number, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        begun = {"index": number, **call, "function": {"name": function["name"], "arguments": ""}}
        yield chunk(index, tool_calls=[begun])
        for piece in _cut(draw, function["arguments"]):
            yield chunk(index, tool_calls=[{"index": number, "function": {"arguments": piece}}])
    yield chunk(index, finish=str(choice["finish_reason"]))


def _cut(draw: st.DrawFn, text: str) -> list[str]:
    at = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[a:b] for a, b in zip([0, *at], [*at, len(text)], strict=True) if a < b]


def _objects(value: object) -> list[Document]:
    assert isinstance(value, list)
    return value
