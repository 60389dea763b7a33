"""The `response` document: what was asked for, and what came of it."""

from collections.abc import Mapping, Sequence
from typing import Final

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import Finish
from penstock_sidecar.model import JsonObject, Usage

INCOMPLETE: Final[Mapping[Finish, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
"""Why an answer is not all that the model had to say."""
ECHOED: Final[Mapping[str, object]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": None,
    "store": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": None,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}
"""Fields of the request that come back, and what stands for those that were not sent. Where the
provider decides, nobody knows."""


def begun(identity: Identity, model: str) -> dict[str, object]:
    """Of an answer that has nothing in it yet."""
    return _response(identity, model, "in_progress", ())


def ended(
    identity: Identity,
    model: str,
    finish: Finish,
    output: Sequence[JsonObject],
    usage: Usage | None,
) -> dict[str, object]:
    cut = INCOMPLETE.get(finish)
    response = _response(identity, model, "incomplete" if cut else "completed", output)
    response["incomplete_details"] = {"reason": cut} if cut else None
    response["usage"] = usage_document(usage) if usage else None
    return response


def usage_document(usage: Usage) -> dict[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _response(
    identity: Identity, model: str, status: str, output: Sequence[JsonObject]
) -> dict[str, object]:
    asked = identity.asked
    echoed = {
        name: default if asked.get(name) is None else asked[name]
        for name, default in ECHOED.items()
    }
    return {
        "id": f"resp_{identity.call_id}",
        "object": "response",
        "created_at": identity.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model or identity.model,
        "output": list(output),
        "usage": None,
        **echoed,
    }
