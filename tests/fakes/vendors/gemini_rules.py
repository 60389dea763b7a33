"""What generateContent refuses, in its words: unknown fields, calls without their results, calls
without a signature."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Json = Mapping[str, Any]

REQUEST: Final = frozenset(
    "contents tools toolConfig safetySettings systemInstruction generationConfig cachedContent"  # noqa: SIM905  # words
    " serviceTier store".split()
)
CONFIG: Final = frozenset(
    "stopSequences responseMimeType responseSchema responseJsonSchema responseModalities"  # noqa: SIM905  # words
    " candidateCount maxOutputTokens temperature topP topK seed presencePenalty frequencyPenalty"
    " responseLogprobs logprobs thinkingConfig mediaResolution speechConfig imageConfig".split()
)
DECLARATION: Final = frozenset(
    "name description behavior parameters parametersJsonSchema"  # noqa: SIM905  # words
    " response responseJsonSchema".split()
)
PART: Final = frozenset(
    "thought thoughtSignature text inlineData functionCall functionResponse fileData"  # noqa: SIM905  # words
    " executableCode codeExecutionResult mediaResolution videoMetadata partMetadata".split()
)
DATA: Final = PART - {"thought", "thoughtSignature", "mediaResolution", "videoMetadata"}
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")


def complaint(body: Json, *, strict: bool) -> str | None:
    """The first; `strict` is since Gemini 3, which checks signatures."""
    return next(_complaints(body, strict), None)


def _complaints(body: Json, strict: bool) -> Iterator[str]:
    config = body.get("generationConfig", {})
    declared = [d for tool in body.get("tools", []) for d in tool.get("functionDeclarations", [])]
    contents = body.get("contents", [])
    yield from _unknown(body, REQUEST, "")
    yield from _unknown(config, CONFIG, "generation_config")
    for index, declaration in enumerate(declared):
        where = f"tools[0].function_declarations[{index}]"
        yield from _unknown(declaration, DECLARATION, where)
        if not NAME.fullmatch(declaration.get("name", "")):
            yield f"* GenerateContentRequest.{where}.name: Invalid function name."
    if not contents:
        yield "* GenerateContentRequest.contents: contents is not specified"
    for index, content in enumerate(contents):
        yield from _of_content(content, f"contents[{index}]")
    if {"thinkingBudget", "thinkingLevel"} <= config.get("thinkingConfig", {}).keys():
        yield "You can only set only one of thinking budget and thinking level."
    if "responseJsonSchema" in config and config.get("responseMimeType") != "application/json":
        yield "Response schema is only supported with response mime type: application/json"
    yield from _schemas(config.get("responseJsonSchema"))
    yield from _unanswered(contents)
    if strict:
        yield from _unsigned(contents)


def _unknown(document: Json, known: frozenset[str], where: str) -> Iterator[str]:
    """The name of a field in its proto does as well: Google's own SDK mixes them."""
    at = f" at '{where}'" if where else ""
    for name in sorted(name for name in document if _camel(name) not in known):
        yield f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _of_content(content: Json, where: str) -> Iterator[str]:
    if content.get("role") not in {"user", "model"}:
        yield "Please use a valid role: user, model."
    if not content.get("parts"):
        yield f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty."
    for index, part in enumerate(content.get("parts", [])):
        yield from _unknown(part, PART, f"{where}.parts[{index}]")
        if len(part.keys() & DATA) != 1:
            yield (
                f"* GenerateContentRequest.{where}.parts[{index}].data: required oneof field"
                " 'data' must have one initialized field"
            )


def _schemas(schema: object) -> Iterator[str]:
    """A reference has nothing beside it but what begins with `$`."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str) and any(not n.startswith("$") for n in schema):
            yield "Schema.ref must not have sibling fields."
        for inner in schema.values():
            yield from _schemas(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _schemas(inner)


def _unanswered(contents: Sequence[Json]) -> Iterator[str]:
    for place, content in enumerate(contents):
        results = _named(content, "functionResponse")
        before = _named(contents[place - 1], "functionCall") if place else []
        if not results and not (before and content["role"] == "user"):
            continue
        if len(results) != len(before):
            yield (
                "Please ensure that the number of function response parts is equal to the number"
                " of function call parts of the function call turn."
            )
        if {r.get("id") for r in results} - {c.get("id") for c in before}:
            yield "functionResponse.id does not match functionCall.id"


def _unsigned(contents: Sequence[Json]) -> Iterator[str]:
    """The first call of each step since the last words of the user."""
    for place, content in enumerate(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        spoke = any(
            c["role"] == "user" and not _named(c, "functionResponse") for c in contents[place:]
        )
        if calls and not spoke and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"]["name"]
            yield (
                "Function call is missing a thought_signature in functionCall parts. This is"
                " required for tools to work correctly, and missing thought_signature may lead to"
                f" degraded model performance. Additional data, function call `{name}` , position"
                f" {place + 1}."
            )


def _named(content: Json, kind: str) -> list[Json]:
    return [part[kind] for part in content["parts"] if kind in part]
