"""Writes a request for `/api/chat`."""

from collections.abc import Iterator, Sequence
from typing import Final

from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.efforts import effort_of
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.prompt import (
    Image,
    Part,
    Prompt,
    Refusal,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolResult,
    Turn,
)

LACKS: Final = Lacks(
    refused=frozenset(
        {
            Feature.IMAGE_URL,
            Feature.AUDIO,
            Feature.FILE_DATA,
            Feature.FILE_URL,
            Feature.TOOL_REQUIRED,
            Feature.TOOL_NAMED,
            Feature.ONE_CALL,
            Feature.CHOICES,
            Feature.LOGIT_BIAS,
        }
    ),
    dropped=frozenset(
        {
            Feature.IMAGE_DETAIL,
            Feature.STRICT_TOOLS,
            Feature.RESULT_FAILED,
            Feature.USER,
        }
    ),
    altered=frozenset({Feature.SIGNED_THOUGHTS}),
)
"""Their text is told, without the signature."""


def write_chat(prompt: Prompt, ask: Ask) -> dict[str, object]:
    messages = [message for turn in prompt.turns for message in _messages(turn)]
    body: dict[str, object] = {
        "model": ask.model,
        "messages": [*messages, *([NUDGE_MESSAGE] if ask.nudge else [])],
        "stream": ask.stream,
    }
    if ask.keep_alive_seconds is not None:
        body["keep_alive"] = ask.keep_alive_seconds
    if prompt.tools and prompt.tool_choice.mode != "none":
        body["tools"] = [_tool(tool) for tool in prompt.tools]
    if prompt.format:
        body["format"] = "json" if prompt.format.schema is None else prompt.format.schema
    if options := _options(prompt, ask):
        body["options"] = options
    if prompt.reasoning and ask.reasons and (effort := effort_of(prompt.reasoning)):
        body["think"] = {"none": False, "minimal": "low", "xhigh": "high"}.get(effort, effort)
    if prompt.sampling.logprobs:
        body["logprobs"] = True
        if prompt.sampling.top_logprobs:
            body["top_logprobs"] = prompt.sampling.top_logprobs
    return body


def _messages(turn: Turn) -> Iterator[dict[str, object]]:
    """Each tool result is a message of its own."""
    for part in turn.parts:
        if isinstance(part, ToolResult):
            told = {"tool_name": part.name, "tool_call_id": part.call_id}
            yield {"role": "tool", **_said(part.parts), **told}
    rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
    if rest or not turn.parts:
        yield {"role": turn.role, **_said(rest)}


def _said(parts: Sequence[Part]) -> dict[str, object]:
    texts = [part.text for part in parts if isinstance(part, Text | Refusal)]
    said: dict[str, object] = {"content": "\n".join(texts)}
    if images := [part.data for part in parts if isinstance(part, Image)]:
        said["images"] = images
    if thoughts := [p.text for p in parts if isinstance(p, Thought) and not p.redacted]:
        said["thinking"] = "\n".join(thoughts)
    if calls := [_call(part) for part in parts if isinstance(part, ToolCall)]:
        said["tool_calls"] = calls
    return said


def _call(call: ToolCall) -> dict[str, object]:
    """Arguments are an object here, not text."""
    try:
        arguments = parse(call.arguments.encode("utf-8", "replace") or b"{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise Unspeakable(call.where, " unless they are a JSON object")
    return {"id": call.id, "function": {"name": call.name, "arguments": arguments}}


def _tool(tool: Tool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = tool.parameters
    return {"type": "function", "function": function}


def _options(prompt: Prompt, ask: Ask) -> dict[str, object]:
    sampling = prompt.sampling
    limits = [n for n in (prompt.max_output_tokens, ask.max_output_tokens) if n is not None]
    options: dict[str, object] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "repeat_penalty": sampling.repetition_penalty,
        "stop": list(sampling.stop) or None,
        "num_predict": min(limits, default=None),
    }
    return {name: value for name, value in options.items() if value is not None}
