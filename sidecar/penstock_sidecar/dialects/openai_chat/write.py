"""Writes a request for a provider who speaks OpenAI's dialect, for callers who speak another."""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.dialects.data_url import data_url
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.efforts import effort_of
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Format,
    Image,
    Part,
    Prompt,
    Refusal,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.quirks import Quirks

REFUSED: Final = frozenset({Feature.FILE_URL})
DROPPED: Final = frozenset({Feature.THOUGHTS, Feature.SIGNED_THOUGHTS, Feature.RESULT_FAILED})
SAMPLING: Final = {
    "top_k": Feature.TOP_K,
    "min_p": Feature.MIN_P,
    "repetition_penalty": Feature.REPETITION_PENALTY,
    "frequency_penalty": Feature.FREQUENCY_PENALTY,
    "presence_penalty": Feature.PRESENCE_PENALTY,
    "user": Feature.USER,
}
"""What some answer with an error, and that only steers."""
ANSWERED: Final = {
    "n": Feature.CHOICES,
    "logprobs": Feature.LOGPROBS,
    "logit_bias": Feature.LOGIT_BIAS,
}
"""The same of what the answer would not be without."""


def lacks_of(quirks: Quirks) -> Lacks:
    unknown = {feature for name, feature in SAMPLING.items() if name in quirks.drops}
    missing = {feature for name, feature in ANSWERED.items() if name in quirks.refuses}
    return Lacks(REFUSED | missing, DROPPED | unknown)


def write_chat(prompt: Prompt, ask: Ask) -> dict[str, object]:
    body: dict[str, object] = {"model": ask.model, "messages": list(_messages(prompt, ask))}
    if ask.stream:
        body["stream"] = True
        if ask.quirks.asks_for_usage:
            body["stream_options"] = {"include_usage": True}
    body |= _tools(prompt)
    if prompt.format:
        body["response_format"] = _format(prompt.format)
    if prompt.reasoning and ask.reasons and (effort := effort_of(prompt.reasoning)):
        body["reasoning_effort"] = effort
    if prompt.user is not None and "user" not in ask.quirks.drops:
        body["user"] = prompt.user
    limits = [n for n in (prompt.max_output_tokens, ask.max_output_tokens) if n is not None]
    if limits:
        body[ask.quirks.limit_field] = min(limits)
    sampling = _sampling(prompt.sampling).items()
    names = ask.quirks.renames
    return body | {names.get(n, n): value for n, value in sampling if n not in ask.quirks.drops}


def _messages(prompt: Prompt, ask: Ask) -> Iterator[object]:
    for turn in prompt.turns:
        match turn.role:
            case "system":
                yield {"role": ask.quirks.system_role, "content": _text(turn.parts)}
            case "assistant":
                yield _answer(turn)
            case "user":
                yield from _user(turn)
    if ask.nudge:
        yield NUDGE_MESSAGE


def _user(turn: Turn) -> Iterator[dict[str, object]]:
    """Results first: they must follow the calls at once. Their pictures go along with the rest."""
    results = [part for part in turn.parts if isinstance(part, ToolResult)]
    for result in results:
        content = _text(result.parts)
        yield {"role": "tool", "tool_call_id": result.call_id, "content": content}
    shown: list[Part] = [p for r in results for p in r.parts if not isinstance(p, Text)]
    rest = [*shown, *(part for part in turn.parts if not isinstance(part, ToolResult))]
    if rest or not results:
        yield {"role": "user", "content": _content(rest)}


def _answer(turn: Turn) -> dict[str, object]:
    calls = [part for part in turn.parts if isinstance(part, ToolCall)]
    text = _text([part for part in turn.parts if isinstance(part, Text)])
    message: dict[str, object] = {"role": "assistant", "content": text or (None if calls else "")}
    if refusal := "".join(part.text for part in turn.parts if isinstance(part, Refusal)):
        message["refusal"] = refusal
    if calls:
        message["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for call in calls
        ]
    return message


def _content(parts: list[Part]) -> object:
    """Text alone is a string: some providers know nothing else."""
    if all(isinstance(part, Text) for part in parts):
        return _text(parts)
    return [written for part in parts if (written := _part(part))]


def _part(part: Part) -> dict[str, object] | None:
    match part:
        case Text(text=text) | Refusal(text=text):
            return {"type": "text", "text": text}
        case Image():
            url = part.url or data_url(part.media_type, part.data)
            detail = {"detail": part.detail} if part.detail else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case Audio():
            return {
                "type": "input_audio",
                "input_audio": {"data": part.data, "format": part.format},
            }
        case File():
            data = data_url(part.media_type, part.data)
            name = part.name or "document.pdf"
            return {"type": "file", "file": {"filename": name, "file_data": data}}
        case Thought() | ToolCall() | ToolResult():
            return None


def _text(parts: list[Part] | tuple[Part, ...]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text))


def _tools(prompt: Prompt) -> dict[str, object]:
    if not prompt.tools:
        return {}
    fields: dict[str, object] = {"tools": [_tool(tool) for tool in prompt.tools]}
    if (choice := _choice(prompt.tool_choice)) != "auto":
        fields["tool_choice"] = choice
    if not prompt.tool_choice.parallel:
        fields["parallel_tool_calls"] = False
    return fields


def _tool(tool: Tool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = tool.parameters
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> object:
    if choice.mode == "one":
        return {"type": "function", "function": {"name": choice.name}}
    return choice.mode


def _format(wanted: Format) -> dict[str, object]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema: dict[str, object] = {"name": wanted.name, "schema": wanted.schema}
    if wanted.description is not None:
        schema["description"] = wanted.description
    if wanted.strict:
        schema["strict"] = True
    return {"type": "json_schema", "json_schema": schema}


def _sampling(sampling: Sampling) -> dict[str, object]:
    fields: dict[str, object] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "seed": sampling.seed,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "repetition_penalty": sampling.repetition_penalty,
        "stop": list(sampling.stop) or None,
        "n": sampling.choices if sampling.choices > 1 else None,
        "logprobs": sampling.logprobs or None,
        "top_logprobs": sampling.top_logprobs,
        "logit_bias": dict(sampling.logit_bias) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
