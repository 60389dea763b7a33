"""What of a messages request has no price that is known beforehand.

As with chat completions, whatever is not known to be bounded is not: tools that run at Anthropic
(searches have a price each, code its hours), MCP servers and containers; tools whose description
Anthropic adds itself; files and PDFs (a page is text and a picture, and pages are not counted
here); speeds and regions above the list price; compaction, which is an answer of its own. Bounded
are thoughts (within `max_tokens`, where their budget is) and writes to the cache, for an hour too:
they have a price of their own, and the dearest counts. A beta of the caller's only opens fields,
which are judged here.
https://platform.claude.com/docs/en/about-claude/pricing (November 2026).
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from penstock_sidecar.metering.parts import kind_of
from penstock_sidecar.model import JsonObject, Request

KNOWN_FIELDS: Final = frozenset(
    "model messages system max_tokens metadata stop_sequences stream temperature top_k top_p"  # noqa: SIM905  # words
    " thinking tool_choice output_config output_format diagnostics user_profile_id"
    " workspace_id".split()
)
CACHED_FOR: Final = (None, "5m", "1h")
"""What a price list has a price for."""
FORGETS: Final = frozenset({"clear_tool_uses_20250919", "clear_thinking_20251015"})
"""Edits of the context that only take away."""
PLAIN_BLOCKS: Final = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "tool_result", "image", "search_result"}
)
TEXT_SOURCES: Final = frozenset({"text", "content"})
OWN_TOOLS: Final = (None, "custom")
"""The caller describes and runs them himself."""


def of_messages(request: Request) -> Iterator[str]:
    """Paths of fields without a most that they can cost."""
    document = request.document
    for name, value in document.items():
        if value is not None and name not in KNOWN_FIELDS:
            found = _JUDGES[name](value) if name in _JUDGES else name
            if found is not None:
                yield found
    yield from _thinking(request)
    yield from _of_blocks(document.get("system"), "system")
    for index, message in enumerate(_list(document.get("messages"))):
        if isinstance(message, Mapping):
            yield from _of_blocks(message.get("content"), f"messages[{index}].content")


def _of_blocks(content: object, where: str) -> Iterator[str]:
    """Content that is plain text has none."""
    for index, block in enumerate(_list(content)):
        if isinstance(block, Mapping):
            yield from _of_block(block, f"{where}[{index}]")


def _of_block(block: JsonObject, where: str) -> Iterator[str]:
    kind, source = kind_of(block), block.get("source")
    if _cache(block.get("cache_control")):
        yield f"{where}.cache_control"
    if kind == "image" and isinstance(source, Mapping) and not _picture(source):
        yield f"{where}.source.media_type"
    if kind == "document" and isinstance(source, Mapping) and kind_of(source) in TEXT_SOURCES:
        yield from _of_blocks(source.get("content"), f"{where}.source.content")
    elif kind not in PLAIN_BLOCKS:
        yield f"{where}.type"
    if kind in {"tool_result", "search_result"}:
        yield from _of_blocks(block.get("content"), f"{where}.content")


def _picture(source: JsonObject) -> bool:
    """Elsewhere what comes along may be a film, or a file of many pages."""
    said = source.get("media_type")
    return said is None or (isinstance(said, str) and said.startswith("image/"))


def _thinking(request: Request) -> Iterator[str]:
    """With a beta that thinks between calls, a budget of thoughts beyond `max_tokens` counts in its
    place, up to all of the model's context."""
    thinking = request.document.get("thinking")
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    if budget is None:
        return
    if not isinstance(budget, int) or budget >= (request.max_output_tokens or 0):
        yield "thinking.budget_tokens"


def _cache(value: object) -> str | None:
    known = isinstance(value, Mapping) and value.get("ttl") in CACHED_FOR
    return None if value is None or known else "cache_control"


def _tools(value: object) -> str | None:
    for index, tool in enumerate(value if isinstance(value, list) else [None]):
        if not isinstance(tool, Mapping) or tool.get("type") not in OWN_TOOLS:
            return f"tools[{index}]"
        if _cache(tool.get("cache_control")):
            return f"tools[{index}].cache_control"
    return None


def _service_tier(value: object) -> str | None:
    """`auto` is what absence means too: a tier that was bought beforehand."""
    return None if value in ("auto", "standard_only") else "service_tier"


def _speed(value: object) -> str | None:
    return None if value == "standard" else "speed"


def _inference_geo(value: object) -> str | None:
    return None if value == "global" else "inference_geo"


def _mcp_servers(value: object) -> str | None:
    return None if value == [] else "mcp_servers"


def _context_management(value: object) -> str | None:
    edits = value.get("edits") if isinstance(value, Mapping) else [None]
    for edit in _list(edits):
        if not isinstance(edit, Mapping) or kind_of(edit) not in FORGETS:
            return "context_management"
    return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


_JUDGES: Final[Mapping[str, Callable[[object], str | None]]] = MappingProxyType(
    {
        "cache_control": _cache,
        "context_management": _context_management,
        "inference_geo": _inference_geo,
        "mcp_servers": _mcp_servers,
        "service_tier": _service_tier,
        "speed": _speed,
        "tools": _tools,
    }
)
"""Fields that are bounded by some of their values."""
