"""Writes a request for `generateContent`, whose path names the model and says whether to stream."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from penstock_sidecar.dialects.dialect import Ask, Unspeakable
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.gemini.contents import contents_of
from penstock_sidecar.dialects.gemini.schema import Unsaid, schema_of
from penstock_sidecar.dialects.gemini.thinking import thinking_of
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.prompt import Format, Prompt, Sampling, Text, Tool, Turn
from penstock_sidecar.model import JsonObject

LACKS: Final = Lacks(
    refused=frozenset({Feature.ONE_CALL, Feature.LOGIT_BIAS}),
    dropped=frozenset(
        {
            Feature.IMAGE_DETAIL,
            Feature.THOUGHTS,
            Feature.MIN_P,
            Feature.REPETITION_PENALTY,
            Feature.USER,
        }
    ),
    altered=frozenset({Feature.LATE_SYSTEM, Feature.EFFORT, Feature.REASONING_TOKENS}),
)
JSON: Final = "application/json"


def path_of(ask: Ask) -> str:
    """A name may say its collection itself: `models/gemini-3-flash`, `tunedModels/mine`."""
    name = ask.model if "/" in ask.model else f"models/{ask.model}"
    method = "streamGenerateContent?alt=sse" if ask.stream else "generateContent"
    return f"/{quote(name)}:{method}"


def write_chat(prompt: Prompt, ask: Ask) -> dict[str, object]:
    """Raises `Unspeakable`."""
    nudge = (Turn("user", (Text(NUDGE),)),) if ask.nudge else ()
    contents = contents_of([*prompt.turns, *nudge], ask.model)
    system = _system(prompt.turns)
    if not contents:  # a system message alone: there must be something to answer
        contents, system = [{"role": "user", "parts": system}], []
    body: dict[str, object] = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    if prompt.tools:
        body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in prompt.tools]}]
        if calling := _calling(prompt):
            body["toolConfig"] = {"functionCallingConfig": calling}
    if config := _config(prompt, ask):
        body["generationConfig"] = config
    return body


def _system(turns: Sequence[Turn]) -> list[dict[str, object]]:
    """All of them, wherever they stood."""
    parts = [part for turn in turns if turn.role == "system" for part in turn.parts]
    return [{"text": part.text} for part in parts if isinstance(part, Text) and part.text]


def _tool(tool: Tool) -> dict[str, object]:
    declared: dict[str, object] = {"name": tool.name}
    if tool.description is not None:
        declared["description"] = tool.description
    if tool.parameters:
        declared["parametersJsonSchema"] = _schema(tool.parameters, tool.where, strict=tool.strict)
    return declared


def _calling(prompt: Prompt) -> dict[str, object] | None:
    """`VALIDATED` holds the model to the schemas, as `ANY` does; `AUTO` only asks."""
    match prompt.tool_choice.mode:
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case "one":
            return {"mode": "ANY", "allowedFunctionNames": [prompt.tool_choice.name]}
        case "auto":
            return {"mode": "VALIDATED"} if any(tool.strict for tool in prompt.tools) else None


def _config(prompt: Prompt, ask: Ask) -> dict[str, object]:
    limits = [n for n in (prompt.max_output_tokens, ask.max_output_tokens) if n is not None]
    limit = min(limits, default=None)
    config = _sampling(prompt.sampling) | {"maxOutputTokens": limit}
    if prompt.format:
        config |= _format(prompt.format, prompt.name_of("format"))
    if prompt.reasoning and ask.reasons:
        config["thinkingConfig"] = thinking_of(prompt.reasoning, ask.model, limit)
    return {name: value for name, value in config.items() if value is not None}


def _format(wanted: Format, where: str) -> dict[str, object]:
    if wanted.schema is None:
        return {"responseMimeType": JSON}
    described = {"description": wanted.description} if wanted.description else {}
    schema = _schema({**described, **wanted.schema}, where, strict=wanted.strict)
    return {"responseMimeType": JSON, "responseJsonSchema": schema}


def _schema(schema: JsonObject, where: str, *, strict: bool) -> JsonObject:
    try:
        return schema_of(schema, strict=strict)
    except Unsaid as error:
        raise Unspeakable(where, f" with `{error.keyword}` in a strict schema") from None


def _sampling(sampling: Sampling) -> dict[str, object]:
    return {
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "seed": sampling.seed,
        "frequencyPenalty": sampling.frequency_penalty,
        "presencePenalty": sampling.presence_penalty,
        "stopSequences": list(sampling.stop) or None,
        "candidateCount": sampling.choices if sampling.choices > 1 else None,
        "responseLogprobs": sampling.logprobs or None,
        "logprobs": sampling.top_logprobs or None,
    }
