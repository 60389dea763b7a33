"""OpenAI's legacy completions: https://platform.openai.com/docs/api-reference/completions."""

from collections.abc import Iterator

from penstock_cli.stub import openai
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.steps import Send

STREAM_TYPE = openai.STREAM_TYPE
PLAIN_TYPE = openai.PLAIN_TYPE
MALFORMED = b'data: {"id":"cmpl-stub","choices":[{"index":0,"te\n\n'
IN_BAND_ERROR = openai.IN_BAND_ERROR
error = openai.error


def plain(answer: Answer) -> bytes:
    choices = [_choice(index, answer.text, _finish(answer)) for index in _indexes(answer)]
    return openai.encoded(_head(answer) | {"choices": choices, "usage": openai.usage(answer)})


def stream(answer: Answer) -> Iterator[Send]:
    """Events in OpenAI's order: pieces, finish, usage if asked for, `[DONE]`."""
    for index in _indexes(answer):
        for word in answer.words:
            yield _event(answer, _choice(index, word, None), 1)
        yield _event(answer, _choice(index, "", _finish(answer)))
    if answer.asked.include_usage:
        document = _head(answer) | {"choices": [], "usage": openai.usage(answer)}
        yield Send(b"data: " + openai.encoded(document) + b"\n\n")
    yield openai.DONE


def _indexes(answer: Answer) -> range:
    return range(answer.asked.choices)


def _finish(answer: Answer) -> str:
    return "stop" if answer.finish == "tool_calls" else answer.finish


def _choice(index: int, text: str, finish: str | None) -> dict[str, object]:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _event(answer: Answer, choice: object, tokens: int = 0) -> Send:
    document = _head(answer) | {"choices": [choice]}
    if answer.asked.include_usage:
        document["usage"] = None
    return Send(b"data: " + openai.encoded(document) + b"\n\n", tokens)


def _head(answer: Answer) -> dict[str, object]:
    return {
        "id": f"cmpl-stub{answer.asked.serial}",
        "object": "text_completion",
        "created": openai.CREATED,
        "model": answer.asked.model,
    }
