"""From generateContent's answers to events, and to OpenAI's answers."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Garbled, Identity, SaidError
from penstock_sidecar.dialects.events import (
    CallPiece,
    Counted,
    Ended,
    Event,
    Finished,
    OtherPiece,
    Started,
    TextPiece,
    ThoughtPiece,
)
from penstock_sidecar.dialects.gemini.answer import FAILURES, GeminiReader, read_answer
from penstock_sidecar.dialects.openai_chat.reply import write_completion
from penstock_sidecar.model import Usage

IDENTITY = Identity("call-1", 1_763_640_000, "fast")
USAGE = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}


def document(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate | more],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-3.7-flash-001",
        "responseId": "r1",
    }


def streamed(*documents: dict[str, Any]) -> list[Event]:
    return list(events_of(GeminiReader(1), documents))


def events_of(reader: GeminiReader, documents: Sequence[dict[str, Any]]) -> Iterator[Event]:
    for each in documents:
        yield from reader.read(each)
    yield from reader.over()


def pieces(*documents: dict[str, Any]) -> list[Event]:
    """Without what frames them."""
    frame = (Started, Counted, Ended)
    return [event for event in streamed(*documents) if not isinstance(event, frame)]


def completion(answer: dict[str, Any]) -> Any:
    return write_completion(list(read_answer(answer)), IDENTITY)


def test_a_plain_answer_becomes_a_chat_completion() -> None:
    answer = document(
        {"text": "Let me see.", "thought": True},
        {"text": "All is "},
        {"text": "well.", "thoughtSignature": "c2ln"},
        finish="STOP",
        avgLogprobs=-0.5,
        logprobsResult={
            "topCandidates": [
                {
                    "candidates": [
                        {"token": "All", "tokenId": 1, "logProbability": -0.25},
                        {"token": "é", "tokenId": 2, "logProbability": -2},
                    ]
                },
                {"candidates": []},
            ],
            "chosenCandidates": [
                {"token": "All", "tokenId": 1, "logProbability": -0.25},
                {"token": " is", "tokenId": 3},
            ],
        },
    )
    answer["usageMetadata"] = {
        "promptTokenCount": 7,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 15,
    }
    assert completion(answer) == {
        "id": "chatcmpl-call-1",
        "object": "chat.completion",
        "created": 1_763_640_000,
        "model": "gemini-3.7-flash-001",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "All is well.",
                    "refusal": None,
                    "reasoning_content": "Let me see.",
                    "extra_content": {"google": {"thought_signature": "c2ln"}},
                },
                "logprobs": {
                    "content": [
                        {
                            "token": "All",
                            "logprob": -0.25,
                            "bytes": [65, 108, 108],
                            "top_logprobs": [
                                {"token": "All", "logprob": -0.25, "bytes": [65, 108, 108]},
                                {"token": "é", "logprob": -2, "bytes": [195, 169]},
                            ],
                        },
                        {
                            "token": " is",
                            "logprob": 0.0,
                            "bytes": [32, 105, 115],
                            "top_logprobs": [],
                        },
                    ],
                    "refusal": None,
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 8,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    }


def test_calls_become_tool_calls_with_their_signature() -> None:
    answer = document(
        {
            "functionCall": {"name": "f", "args": {"a": "é", "b": [1, None]}, "id": "x1"},
            "thoughtSignature": "c2ln",
        },
        {"functionCall": {"name": "g"}},
        finish="STOP",
    )
    [choice] = completion(answer)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": None,
        "refusal": None,
        "tool_calls": [
            {
                "id": "x1",
                "type": "function",
                "function": {"name": "f", "arguments": '{"a":"é","b":[1,null]}'},
                "extra_content": {"google": {"thought_signature": "c2ln"}},
            },
            {
                "id": "call_call-1_1",
                "type": "function",
                "function": {"name": "g", "arguments": "{}"},
            },
        ],
    }


def test_a_stream_becomes_events_and_the_last_count_holds() -> None:
    first = document({"text": "Hm.", "thought": True})
    first["usageMetadata"] = {"promptTokenCount": 7, "totalTokenCount": 7}
    assert streamed(
        first,
        document({"text": "All "}),
        document({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "c2ln"}),
        document({"functionCall": {"name": "g", "args": {"a": 1}, "id": "x2"}}),
        document({"text": ""}, finish="STOP"),
    ) == [
        Started("r1", "gemini-3.7-flash-001"),
        ThoughtPiece("Hm."),
        Counted(Usage(7, 0)),
        TextPiece("All "),
        Counted(Usage(7, 3)),
        CallPiece(0, "", "f", "{}", "google:c2ln"),
        Counted(Usage(7, 3)),
        CallPiece(1, "x2", "g", '{"a":1}'),
        Counted(Usage(7, 3)),
        Finished("tool_calls"),
        Counted(Usage(7, 3)),
        Ended(),
    ]


def test_a_signature_comes_after_its_text_or_alone() -> None:
    assert pieces(
        document({"text": "All", "thoughtSignature": "YQ=="}),
        document({"text": "", "thoughtSignature": "Yg=="}, finish="STOP"),
    ) == [
        TextPiece("All"),
        ThoughtPiece(signature="google:YQ=="),
        ThoughtPiece(signature="google:Yg=="),
        Finished("stop"),
    ]


def test_logprobs_come_once_with_the_text_they_are_of() -> None:
    chosen = {"chosenCandidates": [{"token": "a", "logProbability": -1.5}]}
    said = pieces(document({"text": "a"}, {"text": "b"}, finish="STOP", logprobsResult=chosen))
    token = {"token": "a", "logprob": -1.5, "bytes": [97], "top_logprobs": []}
    assert said == [TextPiece("a", 0, (token,)), TextPiece("b"), Finished("stop")]


def test_candidates_are_choices() -> None:
    def both(*candidates: dict[str, Any]) -> dict[str, Any]:
        return {"candidates": list(candidates)}

    def one(text: str, **more: Any) -> dict[str, Any]:
        return {"content": {"parts": [{"text": text}]}, **more}

    called = {"content": {"parts": [{"functionCall": {"name": "f"}}]}, "index": 1}
    assert pieces(
        both(one("a"), one("b")),
        both(one("c", index=1), one("d", index=0, finishReason="MAX_TOKENS")),
        both(called),
        both({"index": 1, "finishReason": "STOP"}),
    ) == [
        TextPiece("a", 0),
        TextPiece("b", 1),
        TextPiece("c", 1),
        TextPiece("d", 0),
        Finished("length", 0),
        CallPiece(0, "", "f", "{}", choice=1),
        Finished("tool_calls", 1),
    ]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("LANGUAGE", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("WHAT_COMES_NEXT", "content_filter"),
    ],
)
def test_reasons_are_told_in_common_words(reason: str, finish: str) -> None:
    assert pieces(document({"text": "a"}, finish=reason))[-1] == Finished(finish)  # type: ignore[arg-type]  # one of them


def test_calls_do_not_hide_that_an_answer_was_cut() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    assert pieces(document(call, finish="MAX_TOKENS"))[-1] == Finished("length")


@pytest.mark.parametrize("reason", sorted(FAILURES))
def test_who_gives_up_has_said_nothing_or_half_of_it(reason: str) -> None:
    """Nothing is an empty answer, which others may better; half of one is no success."""
    assert pieces(document(finish=reason)) == [Finished("stop")]
    with pytest.raises(Garbled, match="gave up half-way"):
        streamed(document({"text": "All"}), document(finish=reason))


def test_a_blocked_prompt_is_an_answer_of_the_filter() -> None:
    feedback = {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": []}
    answer = {"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 7}}
    assert streamed(answer) == [
        Started(),
        Finished("content_filter"),
        Counted(Usage(7, 0)),
        Ended(),
    ]
    [choice] = completion(answer)["choices"]
    assert choice["finish_reason"] == "content_filter"
    assert choice["message"] == {"role": "assistant", "content": "", "refusal": None}


def test_feedback_without_a_block_is_nothing() -> None:
    answer = document({"text": "a"}, finish="STOP") | {"promptFeedback": {"safetyRatings": []}}
    assert pieces(answer) == [TextPiece("a"), Finished("stop")]


def test_pictures_and_code_have_no_words_here() -> None:
    parts = ({"inlineData": {"data": "AAAA"}}, {"executableCode": {"code": "1"}}, {"odd": 1})
    assert pieces(document(*parts, finish="STOP")) == [
        OtherPiece(),
        OtherPiece(),
        Finished("stop"),
    ]


def test_an_answer_without_candidates_is_empty_if_it_was_counted() -> None:
    counted = {"usageMetadata": {"promptTokenCount": 7}, "modelVersion": "m"}
    assert streamed(counted) == [Started("", "m"), Counted(Usage(7, 0)), Ended()]


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [{}],
        [{"candidates": []}],
        [document({"text": "All"})],
        [{"candidates": [{"index": 0, "finishReason": "STOP"}, {"index": 1}]}],
    ],
)
def test_a_stream_is_whole_once_all_that_began_have_finished(
    documents: list[dict[str, Any]],
) -> None:
    with pytest.raises(Garbled, match="ended its answer half-way"):
        streamed(*documents)


def test_an_error_in_band_is_raised() -> None:
    error = {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}
    with pytest.raises(SaidError) as caught:
        streamed(document({"text": "All"}), {"error": error})
    assert caught.value.value == error


@pytest.mark.parametrize(
    "candidate",
    [
        None,
        [],
        "x",
        {"content": None, "finishReason": "STOP"},
        {"content": {"parts": "x"}, "finishReason": "STOP"},
        {"content": {"parts": [None, 1, {"text": 5}]}, "index": "x", "finishReason": "STOP"},
        {"content": {"parts": [{"functionCall": "x"}]}, "finishReason": "STOP"},
        {"content": {"parts": [{"functionCall": {"args": 1}}]}, "logprobsResult": 3},
        {"logprobsResult": {"chosenCandidates": [1, {}], "topCandidates": 7}, "finishReason": 1},
    ],
)
def test_oddities_are_read_as_far_as_they_go(candidate: object) -> None:
    events = list(GeminiReader(1).read({"candidates": [candidate], "usageMetadata": 3}))
    assert events[0] == Started()
