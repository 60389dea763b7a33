"""What `/v1/messages` refuses, in its words: unknown fields, empty texts, calls without their
results, thinking that a model does not do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Json = Mapping[str, Any]

COUNTED: Final = frozenset(
    "model messages system tools tool_choice thinking output_config cache_control"  # noqa: SIM905  # words
    " context_management mcp_servers speed".split()
)
REQUEST: Final = COUNTED | frozenset(
    "max_tokens stream stop_sequences temperature top_p top_k metadata service_tier container"  # noqa: SIM905  # words
    " inference_geo diagnostics user_profile_id workspace_id".split()
)
TOOL: Final = frozenset(
    "type name description input_schema strict cache_control allowed_callers defer_loading"  # noqa: SIM905  # words
    " eager_input_streaming input_examples".split()
)
TOOL_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
BY_BUDGET: Final = re.compile(r"-(?:3-\d|4-[015]|4-20\d+)")
"""Of models that think by a budget alone."""
ALWAYS_THINKS: Final = "-5-5"
MIN_BUDGET_TOKENS: Final = 1024
REMOVED_SAMPLING: Final = "2026-10-21"
"""The version that took it away."""


@dataclass(frozen=True, slots=True)
class Wrong:
    status: int
    message: str


def complaint(body: Json, headers: Mapping[str, str], *, counts: bool = False) -> Wrong | None:
    """The first."""
    if not headers.get("x-api-key"):
        return Wrong(401, "x-api-key header is required")
    found = next(_complaints(body, headers, counts=counts), None)
    return None if found is None else Wrong(400, found)


def _complaints(body: Json, headers: Mapping[str, str], *, counts: bool) -> Iterator[str]:
    if "anthropic-version" not in headers:
        yield "anthropic-version: header is required"
    for name in body.keys() - (COUNTED if counts else REQUEST):
        yield f"{name}: Extra inputs are not permitted"
    if not counts and not isinstance(body.get("max_tokens"), int):
        yield "max_tokens: Field required"
    messages = body.get("messages")
    if not messages:
        yield "messages: at least one message is required"
        return
    for index, message in enumerate(messages):
        yield from _of_message(message, f"messages.{index}")
    yield from _unanswered(messages)
    yield from _of_tools(body.get("tools", []))
    yield from _of_thinking(body, headers)
    yield from _open_objects(body.get("output_config", {}).get("format", {}).get("schema"))
    for stop in body.get("stop_sequences", []):
        if not stop.strip():
            yield "stop_sequences: each stop sequence must contain non-whitespace"


def _of_message(message: Json, where: str) -> Iterator[str]:
    if message.keys() != {"role", "content"}:
        yield f"{where}: Extra inputs are not permitted"
    if message["role"] not in {"user", "assistant", "system"}:
        yield f"{where}.role: Input should be 'user' or 'assistant'"
    content = message["content"]
    if not content:
        yield f"{where}: all messages must have non-empty content"
    for index, block in enumerate(_blocks(content)):
        yield from _of_block(block, f"{where}.content.{index}")


def _of_block(block: Json, where: str) -> Iterator[str]:
    match block:
        case {"type": "text", "text": str(text)}:
            if not text.strip():
                yield "messages: text content blocks must contain non-whitespace text"
        case {"type": "tool_use", "id": str(id_), "name": str(), "input": dict()}:
            if not TOOL_ID.fullmatch(id_):
                yield f"{where}.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        case {"type": "thinking", "thinking": str(), "signature": str(signature)}:
            if not signature:
                yield f"{where}: Invalid `signature` in `thinking` block"
        case _ if not _known(block):
            yield f"{where}: Input tag '{block.get('type')}' does not match any expected tag"
        case _:
            pass


def _known(block: Json) -> bool:
    match block:
        case {"type": "image" | "document", "source": {"type": "base64", "data": str()}}:
            return True
        case {"type": "image" | "document", "source": {"type": "url", "url": str()}}:
            return True
        case {"type": "document", "source": {"type": "text" | "content"}}:
            return True
        case _:
            return block.get("type") in {"tool_result", "redacted_thinking"}


def _unanswered(messages: Sequence[Json]) -> Iterator[str]:
    """Results come first in the next turn; none comes without its call."""
    called: set[str] = set()
    for index, message in enumerate(messages):
        blocks = _blocks(message["content"])
        results = [b for b in blocks if b["type"] == "tool_result"]
        told = {block["tool_use_id"] for block in results}
        if called - told:
            yield (
                f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(sorted(called - told))}."
            )
        if told - called or blocks[: len(results)] != results:
            yield f"messages.{index}.content.0: unexpected `tool_use_id` found in `tool_result`"
        called = {block["id"] for block in blocks if block["type"] == "tool_use"}


def _of_tools(tools: Sequence[Json]) -> Iterator[str]:
    for index, tool in enumerate(tools):
        if tool.get("type", "custom") != "custom":
            continue
        for name in tool.keys() - TOOL:
            yield f"tools.{index}.custom.{name}: Extra inputs are not permitted"
        if tool["input_schema"].get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Field required"
        if tool.get("strict"):
            yield from _open_objects(tool["input_schema"])


def _of_thinking(body: Json, headers: Mapping[str, str]) -> Iterator[str]:
    model, thinking = body["model"], body.get("thinking", {})
    by_budget = bool(BY_BUDGET.search(model))
    newest = not by_budget and "-4-6" not in model
    on = thinking.get("type") in {"enabled", "adaptive"}
    forced = body.get("tool_choice", {}).get("type") in {"any", "tool"}
    yield from _wrong_mode(body, by_budget=by_budget, newest=newest)
    if forced and (on or ALWAYS_THINKS in model):
        yield "Thinking may not be enabled when tool_choice forces tool use."
    sampled = {"temperature", "top_p", "top_k"} & body.keys()
    if sampled and headers.get("anthropic-version") == REMOVED_SAMPLING:
        yield f"{min(sampled)}: Extra inputs are not permitted"
    if sampled and (on or newest):
        yield f"`{min(sampled)}` is deprecated for this model."
    if {"temperature", "top_p"} <= sampled:
        yield "`temperature` and `top_p` cannot both be specified for this model."


def _wrong_mode(body: Json, *, by_budget: bool, newest: bool) -> Iterator[str]:
    thinking = body.get("thinking", {})
    match thinking.get("type"):
        case "disabled" if ALWAYS_THINKS in body["model"]:
            yield '"thinking.type.disabled" is not supported for this model.'
        case "enabled" if newest:
            yield '"thinking.type.enabled" is not supported for this model.'
        case "adaptive" if by_budget:
            yield "adaptive thinking is not supported on this model"
        case "enabled":
            budget = thinking["budget_tokens"]
            if not MIN_BUDGET_TOKENS <= budget < body.get("max_tokens", budget + 1):
                yield "`max_tokens` must be greater than `thinking.budget_tokens`"
        case _:
            pass


def _open_objects(schema: object) -> Iterator[str]:
    if isinstance(schema, list):
        for each in schema:
            yield from _open_objects(each)
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
            yield (
                "output_config.format.schema: For 'object' type, 'additionalProperties' must be"
                " explicitly set to false"
            )
        for each in schema.values():
            yield from _open_objects(each)


def _blocks(content: object) -> list[Json]:
    return content if isinstance(content, list) else []
