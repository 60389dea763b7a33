"""Writes a request for `/v1/messages`, for callers who speak another dialect.

A schema goes out as `output_config.format`, which every model since 4.5 knows. For those before, a
tool that must be called could stand in; but it excludes thinking and the caller's own tools, and
they are retired: their 400 is passed on. Any JSON object cannot be asked for at all.
"""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.dialects.anthropic.schema import closed_schema
from penstock_sidecar.dialects.anthropic.thinking import thinking_fields
from penstock_sidecar.dialects.anthropic.traits import SAMPLED, traits_of
from penstock_sidecar.dialects.anthropic.turns import messages_of, system_of
from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.features import Feature, Lacks, features_of
from penstock_sidecar.dialects.prompt import Format, Prompt, Tool, ToolChoice

LACKS: Final = Lacks(
    refused=frozenset(
        {
            Feature.AUDIO,
            Feature.JSON,
            Feature.CHOICES,
            Feature.LOGPROBS,
            Feature.LOGIT_BIAS,
        }
    ),
    dropped=frozenset(
        {
            Feature.IMAGE_DETAIL,
            Feature.THOUGHTS,
            Feature.MIN_P,
            Feature.SEED,
            Feature.FREQUENCY_PENALTY,
            Feature.PRESENCE_PENALTY,
            Feature.REPETITION_PENALTY,
        }
    ),
    altered=frozenset({Feature.LATE_SYSTEM}),
)
"""Late system messages are said at the front."""
DEFAULT_MAX_TOKENS: Final = 4_096
"""Where neither caller nor catalogue says one, and Anthropic must hear one: what is held for such
a request."""
MAX_TEMPERATURE: Final = 1
"""Others go to 2."""
DISABLED: Final = {"type": "disabled"}
CHOICES: Final = {"auto": "auto", "none": "none", "required": "any"}


def write_messages(prompt: Prompt, ask: Ask) -> dict[str, object]:
    traits = traits_of(ask.model)
    _refuse(prompt, traits.refuses)
    limits = [n for n in (prompt.max_output_tokens, ask.max_output_tokens) if n is not None]
    max_tokens = min(limits, default=DEFAULT_MAX_TOKENS)
    messages, system = _said(prompt, nudge=ask.nudge)
    body: dict[str, object] = {"model": ask.model, "max_tokens": max_tokens, "messages": messages}
    if system:
        body["system"] = system
    if ask.stream:
        body["stream"] = True
    if prompt.user is not None:
        body["metadata"] = {"user_id": prompt.user}
    thinking = thinking_fields(prompt, traits, max_tokens) if ask.reasons else {}
    body |= _tools(prompt) | _config(prompt.format, thinking)
    return body | _sampling(prompt, SAMPLED if _thinks(thinking) else traits.drops)


def _said(prompt: Prompt, *, nudge: bool) -> tuple[list[dict[str, object]], str]:
    """Messages, and what the system says. There must be something to answer."""
    messages, system = messages_of(prompt.turns, nudge=nudge), system_of(prompt.turns)
    if messages:
        return messages, system
    if system.strip():
        return [{"role": "user", "content": system}], ""
    raise Unspeakable(prompt.name_of("messages"), " where nothing is said", "say something")


def _thinks(fields: dict[str, object]) -> bool:
    return fields.get("thinking", DISABLED) != DISABLED


def _refuse(prompt: Prompt, refused: frozenset[Feature]) -> None:
    for feature, where in features_of(prompt):
        if feature in refused:
            raise Unspeakable(where, " with this model")


def _config(wanted: Format | None, thinking: dict[str, object]) -> dict[str, object]:
    config = {name: value for name, value in thinking.items() if name == "effort"}
    if wanted and wanted.schema is not None:
        config["format"] = {"type": "json_schema", "schema": closed_schema(wanted.schema)}
    fields = {name: value for name, value in thinking.items() if name != "effort"}
    return fields | ({"output_config": config} if config else {})


def _tools(prompt: Prompt) -> dict[str, object]:
    if not prompt.tools:
        return {}
    fields: dict[str, object] = {"tools": [_tool(tool) for tool in prompt.tools]}
    choice = _choice(prompt.tool_choice)
    return fields | ({} if choice == {"type": "auto"} else {"tool_choice": choice})


def _tool(tool: Tool) -> dict[str, object]:
    said: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        said["description"] = tool.description
    schema = {"type": "object", **tool.parameters}
    if tool.strict:
        return said | {"input_schema": closed_schema(schema), "strict": True}
    return said | {"input_schema": schema}


def _choice(choice: ToolChoice) -> dict[str, object]:
    if choice.mode == "none":
        return {"type": "none"}
    said: dict[str, object] = {"type": CHOICES.get(choice.mode, "tool")}
    if choice.mode == "one":
        said["name"] = choice.name
    return said | ({} if choice.parallel else {"disable_parallel_tool_use": True})


def _sampling(prompt: Prompt, drops: frozenset[Feature]) -> dict[str, object]:
    """Temperature and nucleus sampling exclude each other."""
    sampling, fields = prompt.sampling, dict[str, object]()
    if sampling.stop:
        fields["stop_sequences"] = list(_stops(prompt))
    if sampling.temperature is not None and Feature.TEMPERATURE not in drops:
        fields["temperature"] = min(sampling.temperature, MAX_TEMPERATURE)
    elif sampling.top_p is not None and Feature.TOP_P not in drops:
        fields["top_p"] = sampling.top_p
    if sampling.top_k is not None and Feature.TOP_K not in drops:
        fields["top_k"] = sampling.top_k
    return fields


def _stops(prompt: Prompt) -> Iterator[str]:
    for stop in prompt.sampling.stop:
        if not stop.strip():
            raise Unspeakable(prompt.name_of("stop"), " where it is white space alone")
        yield stop
