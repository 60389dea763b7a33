"""What Gemini says, however it cuts it, comes back to it as it said it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Ask, Identity
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.gemini.answer import GeminiReader
from penstock_sidecar.dialects.gemini.write import write_chat
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.openai_chat.reply import write_completion
from penstock_sidecar.dialects.whole import whole

steady = settings(deadline=None, derandomize=True)

IDENTITY = Identity("call-1", 0, "fast")
WORDS = st.text(min_size=1, max_size=5)
SIGNATURES = st.text("abcXYZ+/=", min_size=1, max_size=8)
ARGUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
TEXTS = st.fixed_dictionaries({"text": WORDS}, optional={"thought": st.just(True)})
CALLS = st.builds(
    lambda name, args: {"functionCall": {"name": name, "args": args}},
    st.sampled_from(["f", "g"]),
    st.dictionaries(WORDS, ARGUMENTS, max_size=2),
)


def heard(pieces: list[list[dict[str, Any]]]) -> list[Event]:
    """Each piece a document of its own; the last one finishes."""
    reader, events = GeminiReader(1), list[Event]()
    for parts in pieces:
        events += reader.read({"candidates": [{"content": {"parts": parts}, "index": 0}]})
    events += reader.read({"candidates": [{"index": 0, "finishReason": "STOP"}]})
    return [*events, *reader.over()]


@steady
@given(st.lists(st.lists(TEXTS | CALLS, max_size=3), max_size=4))
def test_an_answer_does_not_depend_on_how_it_is_cut(pieces: list[list[dict[str, Any]]]) -> None:
    parts = [part for piece in pieces for part in piece]
    assert whole(heard(pieces)) == whole(heard([parts]))
    assert whole(heard([[part] for part in parts])) == whole(heard([parts]))


@steady
@given(
    st.none() | WORDS,
    st.lists(CALLS, max_size=3),
    st.none() | SIGNATURES,
    st.lists(WORDS, max_size=2),
)
def test_what_a_caller_of_openai_s_sends_back_is_what_was_said(
    text: str | None, calls: list[dict[str, Any]], signature: str | None, thoughts: list[str]
) -> None:
    """Signed as Gemini signs: the first call, else the text. Thoughts are summaries, and stay."""
    words: list[dict[str, Any]] = [{"text": text}] if text else []
    made: list[dict[str, Any]] = [
        {"functionCall": {**call["functionCall"], "id": f"c{index}"}}
        for index, call in enumerate(calls)
    ]
    if signature and (made or words):
        (made or words)[0]["thoughtSignature"] = signature
    parts = [*words, *made]
    said = [*({"text": thought, "thought": True} for thought in thoughts), *parts]
    answer: Any = write_completion(heard([said]), IDENTITY)
    messages = [{"role": "user", "content": "Hi"}, answer["choices"][0]["message"]]
    body: Any = write_chat(read_chat({"messages": messages}), Ask("gemini-2.5-pro", False, None))
    assert [part for content in body["contents"][1:] for part in content["parts"]] == parts
