"""OpenAI's responses: https://platform.openai.com/docs/api-reference/responses (November 2026)."""

from collections.abc import Iterator, Mapping

from penstock_cli.stub import openai
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.steps import Send

STREAM_TYPE = openai.STREAM_TYPE
PLAIN_TYPE = openai.PLAIN_TYPE
MALFORMED = b'event: response.output_text.delta\ndata: {"type":"response.output_te\n\n'
IN_BAND_ERROR = (
    b'event: error\ndata: {"type":"error","code":"server_error","message":"The server had an error'
    b' while processing your request.","param":null,"sequence_number":4}\n\n'
)
error = openai.error
Event = tuple[dict[str, object], int]
"""With how many tokens it holds."""
Item = dict[str, object]


def plain(answer: Answer) -> bytes:
    return openai.encoded(_response(answer, _items(answer)), indent=2)


def stream(answer: Answer) -> Iterator[Send]:
    """Events in OpenAI's order, each numbered and named."""
    for number, (event, tokens) in enumerate(_events(answer)):
        document = {**event, "sequence_number": number}
        name = str(event["type"]).encode()
        data = openai.encoded(document)
        yield Send(b"event: " + name + b"\ndata: " + data + b"\n\n", tokens)


def _events(answer: Answer) -> Iterator[Event]:
    begun = _response(answer, [], status="in_progress")
    yield {"type": "response.created", "response": begun}, 0
    yield {"type": "response.in_progress", "response": begun}, 0
    items = _items(answer)
    for index, item in enumerate(items):
        yield from _item_events(answer, index, item)
    ended = _response(answer, items)
    yield {"type": f"response.{ended['status']}", "response": ended}, 0


def _item_events(answer: Answer, index: int, item: Item) -> Iterator[Event]:
    at = {"output_index": index}
    place = {**at, "item_id": item["id"]}
    yield {"type": "response.output_item.added", "item": _begun(item), **at}, 0
    match item["type"]:
        case "reasoning":
            yield from _thoughts(answer, {**place, "summary_index": 0})
        case "function_call":
            arguments = item["arguments"]
            name = "response.function_call_arguments"
            yield {"type": f"{name}.delta", "delta": arguments, **place}, 1
            yield {"type": f"{name}.done", "arguments": arguments, **place}, 0
        case _:
            yield from _message(answer, {**place, "content_index": 0})
    yield {"type": "response.output_item.done", "item": item, **at}, 0


def _thoughts(answer: Answer, place: Mapping[str, object]) -> Iterator[Event]:
    name, text = "response.reasoning_summary", answer.ok.reasoning
    yield {"type": f"{name}_part.added", "part": _summary(""), **place}, 0
    yield {"type": f"{name}_text.delta", "delta": text, **place}, len(text.split())
    yield {"type": f"{name}_text.done", "text": text, **place}, 0
    yield {"type": f"{name}_part.done", "part": _summary(text), **place}, 0


def _message(answer: Answer, place: Mapping[str, object]) -> Iterator[Event]:
    refusal = answer.ok.refusal
    part = "response.content_part"
    yield {"type": f"{part}.added", "part": _refusal("") if refusal else _text(""), **place}, 0
    if refusal:
        yield {"type": "response.refusal.delta", "delta": refusal, **place}, len(refusal.split())
        yield {"type": "response.refusal.done", "refusal": refusal, **place}, 0
        yield {"type": f"{part}.done", "part": _refusal(refusal), **place}, 0
        return
    name = "response.output_text"
    for word in answer.words:
        yield {"type": f"{name}.delta", "delta": word, "logprobs": [], **place}, 1
    yield {"type": f"{name}.done", "text": answer.text, "logprobs": [], **place}, 0
    yield {"type": f"{part}.done", "part": _text(answer.text), **place}, 0


def _items(answer: Answer) -> list[Item]:
    ok, serial = answer.ok, answer.asked.serial
    items: list[Item] = []
    if ok.reasoning:
        summary = [_summary(ok.reasoning)]
        items.append({"id": f"rs_stub{serial}", "type": "reasoning", "summary": summary})
    if answer.words or ok.refusal:
        content = [_refusal(ok.refusal) if ok.refusal else _text(answer.text)]
        status = "incomplete" if answer.finish == "length" else "completed"
        message = {"type": "message", "status": status, "role": "assistant", "content": content}
        items.append({"id": f"msg_stub{serial}", **message})
    for place, call in enumerate(ok.tool_calls):
        made = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
        head = {"id": f"fc_stub{serial}_{place}", "type": "function_call", "status": "completed"}
        items.append({**head, **made})
    return items


def _begun(item: Item) -> Item:
    empty = {"content": [], "summary": [], "arguments": "", "status": "in_progress"}
    return {**item, **{name: value for name, value in empty.items() if name in item}}


def _text(text: str) -> Item:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _refusal(text: str) -> Item:
    return {"type": "refusal", "refusal": text}


def _summary(text: str) -> Item:
    return {"type": "summary_text", "text": text}


def _response(answer: Answer, output: list[Item], status: str | None = None) -> dict[str, object]:
    reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
    cut = reasons.get(answer.finish) if status is None else None
    return {
        "id": f"resp_stub{answer.asked.serial}",
        "object": "response",
        "created_at": openai.CREATED,
        "status": status or ("incomplete" if cut else "completed"),
        "background": False,
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "instructions": None,
        "max_output_tokens": answer.asked.max_tokens,
        "model": answer.asked.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(answer) if status is None else None,
        "user": None,
        "metadata": {},
    }


def _usage(answer: Answer) -> dict[str, object]:
    tokens = answer.tokens
    return {
        "input_tokens": tokens.input,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": 0},
        "output_tokens": tokens.output,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.input + tokens.output,
    }
