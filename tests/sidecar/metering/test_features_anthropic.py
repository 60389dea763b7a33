"""Which features of a messages request have a most that they can cost."""

from typing import Any

import pytest

from penstock_sidecar.metering.features import unbounded_feature
from tests.sidecar.metering import given as a

TEXT = {"type": "text", "text": "Hi"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
PICTURE = {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
EPHEMERAL = {"type": "ephemeral"}


def found(**fields: Any) -> str | None:
    document = {"model": "m", "max_tokens": 4096, "messages": [{"role": "user", "content": "Hi"}]}
    request = a.request(
        api="anthropic-messages", document={**document, **fields}, max_output_tokens=4096
    )
    return unbounded_feature(request, "anthropic")


def block(given: object) -> str | None:
    return found(messages=[{"role": "user", "content": [TEXT, given]}])


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "metadata": {"user_id": "u"}},
        {"output_config": {"effort": "max", "format": {"type": "json_schema", "schema": {}}}},
        {"tools": [TOOL, {**TOOL, "type": "custom", "cache_control": {"ttl": "1h"}}]},
        {"system": [{**TEXT, "cache_control": EPHEMERAL}], "cache_control": EPHEMERAL},
        {"service_tier": "auto"},
        {"speed": "standard", "inference_geo": "global", "mcp_servers": []},
        {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
        {"container": None, "speed": None},
    ],
)
def test_what_bytes_pictures_and_caps_bound_is_bounded(fields: dict[str, Any]) -> None:
    assert found(**fields) is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}]}, "tools[1]"),
        ({"tools": [{"type": "code_execution_20250825"}]}, "tools[0]"),
        ({"tools": [{"type": "computer_20250124"}]}, "tools[0]"),
        ({"tools": [["custom"]]}, "tools[0]"),
        ({"tools": {}}, "tools[0]"),
        ({"tools": [{**TOOL, "cache_control": {"ttl": "24h"}}]}, "tools[0].cache_control"),
        ({"mcp_servers": [{"url": "https://x.example"}]}, "mcp_servers"),
        ({"container": "c"}, "container"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4096}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1e9}}, "thinking.budget_tokens"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"service_tier": ["auto"]}, "service_tier"),
        ({"speed": "fast"}, "speed"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"context_management": {"edits": [{"type": "compact_20260112"}]}}, "context_management"),
        ({"context_management": []}, "context_management"),
        ({"cache_control": {"type": "ephemeral", "ttl": "24h"}}, "cache_control"),
        ({"system": [{**TEXT, "cache_control": {"ttl": 9}}]}, "system[0].cache_control"),
        ({"of_tomorrow": 1}, "of_tomorrow"),
    ],
)
def test_what_may_cost_anything_is_named(fields: dict[str, Any], named: str) -> None:
    assert found(**fields) == named


@pytest.mark.parametrize(
    "given",
    [
        PICTURE,
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "tool_result", "tool_use_id": "t", "content": [TEXT, PICTURE]},
        {"type": "document", "source": {"type": "text", "data": "long"}},
        {"type": "document", "source": {"type": "content", "content": [TEXT, PICTURE]}},
        {"type": "search_result", "source": "x", "title": "y", "content": [TEXT]},
    ],
)
def test_blocks_of_text_and_pictures_are_bounded(given: object) -> None:
    assert block(given) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"type": "document", "source": PDF}, "type"),
        ({"type": "document", "source": {"type": "url", "url": "https://x.example"}}, "type"),
        ({"type": "container_upload", "file_id": "f"}, "type"),
        ({"type": "web_search_tool_result", "content": []}, "type"),
        (
            {"type": "tool_result", "content": [{"type": "document", "source": PDF}]},
            "content[0].type",
        ),
        ({**TEXT, "cache_control": {"ttl": "24h"}}, "cache_control"),
        ({"type": "image", "source": PDF}, "source.media_type"),
        ({"type": "image", "source": {**PDF, "media_type": ["image/png"]}}, "source.media_type"),
    ],
)
def test_blocks_that_may_cost_anything_are_named(given: object, named: str) -> None:
    assert block(given) == f"messages[0].content[1].{named}"
