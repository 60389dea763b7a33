"""What is known by its bytes is what a reader would have read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.dialects.dialect import Garbled, SaidError
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import Started, TextPiece
from penstock_sidecar.dialects.openai_chat.answer import OpenAiReader
from penstock_sidecar.dialects.openai_chat.usual import usual_text
from penstock_sidecar.dialects.sse import payload

HEAD = (
    '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"gpt-5-mini"'
)
CHOICE = '"choices":[{"index":0,"delta":{"content":"Hi there"},"finish_reason":null}]'
OPENAI = (
    f'{HEAD},"service_tier":"default","system_fingerprint":null,"choices":[{{"index":0,"delta":'
    '{"content":"Hi there"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x7"'
)


def event(inside: str) -> bytes:
    return f"data: {{{inside}}}\n\n".encode()


@pytest.mark.parametrize("inside", [f"{HEAD},{CHOICE}", CHOICE, OPENAI])
def test_the_usual_piece_is_known(inside: str) -> None:
    assert usual_text(event(inside)) == b"Hi there"


@pytest.mark.parametrize(
    "inside",
    [
        CHOICE.replace('"finish_reason":null', '"finish_reason":"stop"'),
        CHOICE.replace('"index":0', '"index":1'),
        CHOICE.replace("Hi there", ""),
        CHOICE.replace("Hi there", "Grüße"),
        CHOICE.replace("Hi there", r"Hi\nthere"),
        CHOICE.replace('"delta":{', '"delta":{"tool_calls":[],'),
        CHOICE.replace('"delta":{', '"delta":{"refusal":"no",'),
        f'{CHOICE},"usage":{{"prompt_tokens":1}}',
        f'"error":"over","id":"x",{CHOICE}',
        f'{CHOICE},"error":"over"',
        f"{CHOICE},{CHOICE}",
        f'"created":007,{CHOICE}',
        f'{HEAD},"x":{{}},{CHOICE}',
        f"{CHOICE},",
    ],
)
def test_all_else_is_read(inside: str) -> None:
    assert usual_text(event(inside)) is None


@pytest.mark.parametrize("bytes_", [b"", b": keep-alive\n\n", b"data: [DONE]\n\n"])
def test_what_is_no_document_is_read(bytes_: bytes) -> None:
    assert usual_text(bytes_) is None


SCALARS = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans())
NAMES = st.sampled_from(["id", "created", "error", "usage", "model", "x"])
DELTAS = st.fixed_dictionaries(
    {"content": st.text(alphabet='ab \\"\n{}é', max_size=6)},
    optional={"role": st.just("assistant"), "refusal": st.none()},
)
CHOICES = st.fixed_dictionaries(
    {"index": st.integers(0, 1), "delta": DELTAS, "finish_reason": st.sampled_from([None, "stop"])},
    optional={"logprobs": st.none()},
)


@given(
    before=st.dictionaries(NAMES, SCALARS, max_size=3),
    choices=st.lists(CHOICES, max_size=2),
    after=st.dictionaries(NAMES, SCALARS, max_size=2),
)
def test_it_is_what_a_reader_reads(
    before: dict[str, object], choices: list[object], after: dict[str, object]
) -> None:
    document = {**before, "choices": choices, **after}
    sent = event(json.dumps(document, ensure_ascii=False, separators=(",", ":"))[1:-1])
    text = usual_text(sent)
    if text is None:
        return
    found = parse(payload(sent) or b"")
    assert isinstance(found, dict)
    try:
        events = list(OpenAiReader(1).read(found))
    except (SaidError, Garbled) as error:
        pytest.fail(f"a reader says {error!r}")
    assert isinstance(events[0], Started)
    assert events[1:] == [TextPiece(text.decode("ascii"))]
