"""What of OpenAI's completions and responses has no price that is known beforehand.

A completion is text in, and out within its cap, `best_of` times. A response may also call hosted
tools, go on from what OpenAI keeps (another response, a conversation, a template), or hold files.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from penstock_sidecar.metering.parts import image_url, kind_of
from penstock_sidecar.metering.terms import dear_tier, hosted_tool, long_cache
from penstock_sidecar.model import JsonObject, Request

COMPLETION_FIELDS: Final = frozenset(
    "model prompt suffix max_tokens n best_of echo logprobs logit_bias stop stream stream_options"  # noqa: SIM905  # words
    " temperature top_p top_k min_p seed frequency_penalty presence_penalty repetition_penalty"
    " user metadata store safety_identifier".split()
)
RESPONSE_FIELDS: Final = frozenset(
    "model instructions max_output_tokens stream stream_options temperature top_p top_logprobs"  # noqa: SIM905  # words
    " text tool_choice parallel_tool_calls max_tool_calls include truncation store user metadata"
    " safety_identifier prompt_cache_key".split()
)
THINKING: Final = frozenset({"effort", "summary", "generate_summary", "context"})
"""Of `reasoning`: within the cap on output. A mode that thinks several times is not among them."""
TEXTS: Final = frozenset({"input_text", "output_text", "text", "refusal", "summary_text"})
OWN_ITEMS: Final = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call"}
    | {"custom_tool_call_output"}
)
"""Those whose tokens are in the request. A thought's are, where it comes along encrypted."""


def of_completion(request: Request) -> Iterator[str]:
    for name, value in request.document.items():
        if value is None or name in COMPLETION_FIELDS:
            continue
        if name != "service_tier" or dear_tier(value):
            yield name


def of_response(request: Request) -> Iterator[str]:
    for name, value in request.document.items():
        if value is None or name in RESPONSE_FIELDS:
            continue
        yield from _JUDGES[name](value) if name in _JUDGES else (name,)


def _tier(value: object) -> Iterator[str]:
    if dear_tier(value):
        yield "service_tier"


def _retention(value: object) -> Iterator[str]:
    if long_cache(value):
        yield "prompt_cache_retention"


def _background(value: object) -> Iterator[str]:
    if value is not False:
        yield "background"


def _reasoning(value: object) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield "reasoning"
        return
    for name, setting in value.items():
        if name not in THINKING and (name, setting) != ("mode", "standard"):
            yield f"reasoning.{name}"


def _tools(value: object) -> Iterator[str]:
    if (place := hosted_tool(value)) is not None:
        yield f"tools[{place}]"


def _input(value: object) -> Iterator[str]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        where = f"input[{index}]"
        if not isinstance(item, Mapping) or not _comes_along(item):
            yield where
            continue
        for name in ("content", "output"):
            yield from _parts(item.get(name), f"{where}.{name}")


def _comes_along(item: JsonObject) -> bool:
    if kind_of(item) == "reasoning":
        held = item.get("encrypted_content")
        return isinstance(held, str) and held != ""
    return item.get("type") is None or kind_of(item) in OWN_ITEMS


def _parts(held: object, where: str) -> Iterator[str]:
    for index, part in enumerate(held if isinstance(held, list) else ()):
        if not isinstance(part, Mapping) or not _bounded(part):
            yield f"{where}[{index}]"


def _bounded(part: JsonObject) -> bool:
    if kind_of(part) == "input_image":
        url = image_url(part)
        return not url.startswith("data:") or url.startswith("data:image/")
    return kind_of(part) in TEXTS


_JUDGES: Final[Mapping[str, Callable[[object], Iterator[str]]]] = {
    "input": _input,
    "tools": _tools,
    "reasoning": _reasoning,
    "service_tier": _tier,
    "prompt_cache_retention": _retention,
    "background": _background,
}
"""Fields that are bounded by some of their values."""
