"""A request and a provider to measure."""

from typing import Any

import orjson

from penstock_config.provider import Model, Price, Provider
from penstock_sidecar.model import Request

PRICE = Price(input_token=1_000_000, output_token=2_000_000)
"""One micro-dollar a token in, two out."""


def request(size: int = 30, **changes: Any) -> Request:
    """A request of `size` bytes that says nothing."""
    defaults: dict[str, Any] = {
        "call_id": "call",
        "model": "fast",
        "stream": False,
        "usage_wanted": False,
        "body": b"x" * size,
        "document": {},
        "headers": {},
        "max_output_tokens": 10,
    }
    return Request(**{**defaults, **changes})


def chat(*content: object, **fields: object) -> Request:
    """One user's turn for each content, and further fields beside the messages."""
    messages = [{"role": "user", "content": each} for each in content]
    document = {"model": "fast", "messages": messages, **fields}
    return request(
        body=orjson.dumps(document), document=document, choices=int(str(fields.get("n") or 1))
    )


def provider(**changes: Any) -> Provider:
    model = Model(
        name="small",
        upstream_name="small",
        capabilities=("chat",),
        max_output_tokens=changes.pop("max_output_tokens", 1000),
        price=changes.pop("price", PRICE),
    )
    defaults: dict[str, Any] = {
        "id": "shop/cloud",
        "type": "openai",
        "base_url": "https://cloud.example",
        "needs_key": False,
        "models": (model,),
    }
    return Provider(**{**defaults, **changes})
