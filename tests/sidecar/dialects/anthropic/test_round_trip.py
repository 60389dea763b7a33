"""What is written and read again has lost nothing that both directions can say."""

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.dialects.anthropic.answer import AnthropicReader, read_message
from penstock_sidecar.dialects.anthropic.headers import OUR_VERSION
from penstock_sidecar.dialects.anthropic.read import read_messages
from penstock_sidecar.dialects.anthropic.reply import AnthropicWriter, write_message
from penstock_sidecar.dialects.anthropic.write import write_messages
from penstock_sidecar.dialects.dialect import Ask, Identity
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finished,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.prompt import (
    File,
    Format,
    Image,
    Part,
    Prompt,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.splitter import SSE_END, Splitter
from penstock_sidecar.dialects.whole import whole
from penstock_sidecar.model import Usage
from tests.fakes.vendors.anthropic_rules import complaint

steady = settings(deadline=None, derandomize=True)
HEADERS = {"x-api-key": "k", "anthropic-version": OUR_VERSION}
MODEL = "claude-sonnet-4-5"
CLOSED = {"type": "object", "properties": {"a": {}}, "additionalProperties": False}

words = st.text(st.characters(codec="utf-8", categories=("L", "N", "Z")), min_size=1).filter(
    str.strip
)
texts = words.map(Text)
ids = st.from_regex(r"[a-zA-Z0-9_-]{1,9}", fullmatch=True)
pictures = st.builds(Image, words, st.just("image/png")) | st.builds(Image, url=words)
files = st.builds(File, words, st.just("application/pdf"), name=st.none() | words)
thoughts = st.builds(Thought, words, words) | st.builds(Thought, st.just(""), redacted=words)
objects = st.dictionaries(words, st.integers(-(2**53), 2**53) | words | st.booleans(), max_size=2)
tools = st.builds(Tool, ids, st.none() | words, st.just(CLOSED), st.booleans())


@st.composite
def exchanges(draw: st.DrawFn) -> list[Turn]:
    """A question, its answer, and what came of the answer's calls."""
    said = draw(st.lists(texts | pictures | files, min_size=1, max_size=3))
    called = draw(st.lists(ids, unique=True, max_size=2))
    answer: list[Part] = [*draw(st.lists(thoughts, max_size=2)), draw(texts)]
    calls = [ToolCall(id_, draw(ids), arguments(draw(objects))) for id_ in called]
    results = [
        ToolResult(
            call.id,
            tuple(draw(st.lists(texts | pictures, max_size=2))),
            call.name,
            failed=draw(st.booleans()),
        )
        for call in calls
    ]
    turns = [Turn("user", tuple(said)), Turn("assistant", (*answer, *calls))]
    return [*turns, *([Turn("user", tuple(results))] if results else [])]


def arguments(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    turns = [
        turn for turns in draw(st.lists(exchanges(), min_size=1, max_size=2)) for turn in turns
    ]
    system = draw(st.none() | texts)
    choice = draw(
        st.builds(ToolChoice, st.sampled_from(["auto", "required"]), parallel=st.booleans())
        | st.just(ToolChoice("none"))
    )
    offered = draw(st.lists(tools, max_size=2))
    return Prompt(
        turns=(*([Turn("system", (system,))] if system else []), *turns),
        tools=tuple(offered),
        tool_choice=choice if offered else ToolChoice(),
        format=draw(st.none() | st.just(Format(CLOSED))),
        max_output_tokens=draw(st.integers(1, 10_000)),
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 1)),
            top_k=draw(st.none() | st.integers(1, 99)),
            stop=tuple(draw(st.lists(words, max_size=2))),
        ),
        user=draw(st.none() | words),
    )


def bare(prompt: Prompt) -> Prompt:
    """Without where it stood; turns of one side that follow each other as one."""
    merged: list[Turn] = []
    for turn in prompt.turns:
        parts = tuple(_bare(part) for part in turn.parts)
        if merged and merged[-1].role == turn.role:
            parts = (*merged.pop().parts, *parts)
        parts = tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResult)))
        merged.append(Turn(turn.role, parts))
    offered = tuple(replace(tool, where="", strict=False) for tool in prompt.tools)
    return replace(prompt, turns=tuple(merged), tools=offered, spelled={})


def _bare(part: Any) -> Any:
    if isinstance(part, ToolResult):
        return replace(part, where="", parts=tuple(_bare(each) for each in part.parts))
    return replace(part, where="")


@steady
@given(prompts())
def test_a_prompt_that_is_written_and_read_is_the_same(prompt: Prompt) -> None:
    body = write_messages(prompt, Ask(MODEL, False, None))
    assert complaint(body, HEADERS) is None
    assert bare(read_messages(body)) == bare(prompt)


pieces = st.one_of(
    words.map(TextPiece),
    st.builds(ThoughtPiece, words, words),
    st.builds(ThoughtPiece, redacted=words),
)


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    calls = [
        CallPiece(index, draw(ids), draw(ids), arguments(draw(objects)))
        for index in range(draw(st.integers(0, 2)))
    ]
    sequence = draw(st.none() | words)
    given_ = draw(st.integers(0, 10**6))
    usage = Usage(given_, draw(st.integers(0, 10**6)), cached_input_tokens=given_ // 3)
    finish = Finished("tool_calls") if calls else Finished("stop", stop_sequence=sequence)
    said: list[Event] = [*draw(st.lists(pieces, max_size=4)), *calls, finish]
    return [Started("", "m"), *said, Counted(usage), Ended()]


@steady
@given(answers())
def test_an_answer_that_is_written_and_read_is_the_same(events: list[Event]) -> None:
    identity = Identity("c", 0, "m")
    writer, reader, splitter = AnthropicWriter(identity), AnthropicReader(1), Splitter(SSE_END)
    splitter.feed(b"".join([writer.write(event) for event in events]))
    streamed: list[Event] = []
    while frame := splitter.next():
        document: Any = parse(SSE.payload(frame) or b"")
        streamed.extend(reader.read(document))
    plain = list(read_message(write_message(events, identity)))
    wanted = whole(events)
    for found in (whole(streamed), whole(plain)):
        assert found.first.blocks == wanted.first.blocks
        assert (found.first.finish, found.first.stop_sequence) == (
            wanted.first.finish,
            wanted.first.stop_sequence,
        )
        assert found.usage == wanted.usage
