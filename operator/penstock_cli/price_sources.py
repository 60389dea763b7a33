"""Price lists from elsewhere: one of ours, or LiteLLM's map of models, from a file or a URL."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from penstock_cli.failure import WrongUsage
from penstock_operator.api.preset import PresetName
from penstock_operator.api.provider_model import Capability
from penstock_operator.catalogue.prices import FORMAT, PriceList, parse

TIMEOUT_SECONDS: Final = 30
MAX_BYTES: Final = 32 * 1024 * 1024
LITELLM: Final[Mapping[str, PresetName]] = {
    "anthropic": "anthropic",
    "cerebras": "cerebras",
    "deepseek": "deepseek",
    "gemini": "gemini",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "together_ai": "together",
    "xai": "xai",
}
"""Of Perplexity's models each request has a fee that the map does not tell apart: left out."""
LITELLM_LICENCE: Final = "MIT, Copyright (c) 2023 Berri AI"
CLASSES: Final[Mapping[str, str]] = {
    "input_cost_per_token": "inputPerMillion",
    "output_cost_per_token": "outputPerMillion",
    "cache_read_input_token_cost": "cachedInputPerMillion",
    "cache_creation_input_token_cost": "cacheWritePerMillion",
    "cache_creation_input_token_cost_above_1hr": "cacheWrite1hPerMillion",
    "output_cost_per_reasoning_token": "reasoningPerMillion",
}
STEP: Final = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
NOT_BY_TOKEN: Final = re.compile(
    r"(in|out)put_cost_per_(second|character|pixel|video)|output_cost_per_(image|audio|video)"
    r"|tiered_pricing"
)
"""Fields of models that bill by what a chat's price cannot say."""
DIRECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "chat": ("input", "output"),
    "responses": ("input", "output"),
    "embedding": ("input",),
}
"""What a model of this mode must have a price for."""
SUPPORTS: Final[Mapping[str, Capability]] = {
    "supports_function_calling": "tools",
    "supports_vision": "vision",
    "supports_response_schema": "json",
    "supports_reasoning": "reasoning",
}
NOT_A_MODEL: Final = ("search", "deep-research", "together-ai-")
"""In names of models that search with every request, for a fee; and of classes of models."""
Entry = Mapping[str, object]


def read(source: str) -> bytes:
    """The bytes of a file or of a URL; raises `WrongUsage` when they cannot be had."""
    try:
        if not re.match(r"https?://", source):
            return Path(source).read_bytes()
        with urlopen(source, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  # http(s), see above
            data: bytes = answer.read(MAX_BYTES + 1)
    except HTTPError as error:
        with error:  # it holds the connection
            msg = f"{source}: {error.code} {error.reason}"
        raise WrongUsage(msg) from None
    except (URLError, OSError, ValueError) as error:
        msg = f"{source}: {getattr(error, 'reason', None) or error}"
        raise WrongUsage(msg) from None
    if len(data) > MAX_BYTES:
        msg = f"{source}: more than {MAX_BYTES} bytes are no price list"
        raise WrongUsage(msg)
    return data


def price_list(data: bytes, source: str, today: date) -> PriceList:
    """Of ours as it stands; from LiteLLM's map, dated `today`. Raises `WrongUsage` for others."""
    try:
        document = json.loads(data, parse_float=Decimal)
        if isinstance(document, dict) and "format" in document:
            return parse(data)
        if isinstance(document, dict) and _models(document, today):
            return _of_litellm(document, source, today)
    except ValueError as error:
        msg = f"{source}: {error}"
        raise WrongUsage(msg) from None
    msg = f"{source}: neither a price list of `penstock prices refresh` nor LiteLLM's map of models"
    raise WrongUsage(msg)


def _of_litellm(document: Entry, source: str, today: date) -> PriceList:
    return PriceList.model_validate(
        {
            "format": FORMAT,
            "date": today,
            "source": source,
            "licence": LITELLM_LICENCE,
            "providers": _models(document, today),
        }
    )


def _models(document: Entry, today: date) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for key, entry in document.items():
        if isinstance(entry, Mapping) and _is_by_token(key, entry, today):
            vendor = str(entry["litellm_provider"])
            name = key.removeprefix(f"{vendor}/")
            found.setdefault(LITELLM[vendor], {})[name] = _model(entry)
    return found


def _is_by_token(key: str, entry: Entry, today: date) -> bool:
    """A price of zero is none: the map has it where nobody knows, too. Vectors have no output."""
    ways = DIRECTIONS.get(str(entry.get("mode")))
    return (
        entry.get("litellm_provider") in LITELLM
        and ways is not None
        and all(_number(entry, f"{way}_cost_per_token") for way in ways)
        and not any(NOT_BY_TOKEN.match(field) for field in entry)
        and not any(word in key for word in NOT_A_MODEL)
        and str(entry.get("deprecation_date", "9999")) > today.isoformat()
    )


def _model(entry: Entry) -> dict[str, object]:
    price: dict[str, object] = {"outputPerMillion": "0", **_tokens(entry)}
    if image := _number(entry, "input_cost_per_image"):
        price["perImage"] = _text(image)
    if fee := _number(entry, "input_cost_per_request"):
        price["perRequest"] = _text(fee)
    if steps := sorted(int(found[1]) for field in entry if (found := STEP.fullmatch(field))):
        # From the first step on at the price of the last: no model may cost more than is said.
        last = _tokens(entry, f"_above_{steps[-1]}k_tokens")
        price["longContext"] = {"aboveTokens": steps[0] * 1000} | _tokens(entry) | last
    limits = {"contextWindow": "max_input_tokens", "maxOutputTokens": "max_output_tokens"}
    return {"price": price, "capabilities": list(_capabilities(entry))} | {
        name: int(count) for name, field in limits.items() if (count := _number(entry, field))
    }


def _capabilities(entry: Entry) -> Iterator[str]:
    """None for what is asked neither for chats nor for vectors: OpenAI's for responses alone."""
    if entry.get("mode") == "chat":
        yield "chat"
        yield from (name for field, name in SUPPORTS.items() if entry.get(field) is True)
    if entry.get("mode") == "embedding":
        yield "embeddings"


def _tokens(entry: Entry, suffix: str = "") -> dict[str, object]:
    costs = {name: _number(entry, field + suffix) for field, name in CLASSES.items()}
    return {name: _text(cost * 1_000_000) for name, cost in costs.items() if cost}


def _number(entry: Entry, field: str) -> Decimal | None:
    value = entry.get(field)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return None
    return Decimal(value)


def _text(usd: Decimal) -> str:
    """Six decimals, rounded up: what a resource can say."""
    return format(usd.quantize(Decimal("0.000001"), "ROUND_CEILING").normalize(), "f")
