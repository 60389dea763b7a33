"""Tokens as each dialect reports them, into ours: parts lie within their sum.

Unknown (`None`) is a report whose sums cannot be numbers of tokens: missing, negative, a float, a
string, a boolean, or beyond a billion. What was seen of the answer is charged then. A part that
cannot be one (cached, written, reasoned) is left out, and costs as its sum does; a part larger than
its sum is the whole of it. Explicit zeros are counts. Nothing here raises.
"""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Final

from penstock_sidecar.model import Usage

MAX_TOKENS: Final = 10**9
"""A nonsense beyond it would fill every budget, and the books could not hold its price."""


def usage_of_openai(value: object) -> Usage | None:
    """`usage` of chat completions and of responses, at OpenAI and those who speak its dialect.

    Who leaves thinking out of the output (xAI, and Gemini behind its OpenAI endpoint) has it in the
    total, so the larger count of the output holds.
    """
    if not isinstance(value, Mapping):
        return None
    given = _first(value, "prompt_tokens", "input_tokens")
    output = _first(value, "completion_tokens", "output_tokens")
    inside = _first_group(value, "prompt_tokens_details", "input_tokens_details")
    cached = token_count(inside, "cached_tokens")
    if cached is None:  # DeepSeek; Moonshot and Together
        cached = _first(value, "prompt_cache_hit_tokens", "cached_tokens")
    outside = _first_group(value, "completion_tokens_details", "output_tokens_details")
    return _usage(
        given,
        _with_hidden(given, output, token_count(value, "total_tokens")),
        cached=cached,
        written=token_count(inside, "cache_write_tokens"),
        reasoning=token_count(outside, "reasoning_tokens"),
    )


def usage_of_embeddings(value: object) -> Usage | None:
    """`usage` of embeddings, at OpenAI and those who speak its dialect: nothing is generated. Some
    (Voyage) say the total alone."""
    if not isinstance(value, Mapping):
        return None
    counts = [token_count(value, name) for name in ("prompt_tokens", "total_tokens")]
    return _usage(max((n for n in counts if n is not None), default=None), 0)


def usage_of_anthropic(*pieces: object) -> Usage | None:
    """`usage` of a message; or those of `message_start` and each `message_delta`, in this order:
    counts are cumulative, so the last one that says something holds.

    Input excludes what was read from the cache and what was written to it: here it is the sum. It
    also excludes what it took to compact the context, which is billed all the same.
    """
    said: dict[str, object] = {}
    iterations: object = None
    for piece in pieces:
        if isinstance(piece, Mapping):
            said |= {name: found for name, found in piece.items() if _says_something(found)}
            iterations = piece.get("iterations") or iterations
    return _sum(_of_message(said), *map(_of_message, _compactions(iterations)))


def _of_message(said: Mapping[str, object]) -> Usage | None:
    given, output = token_count(said, "input_tokens"), token_count(said, "output_tokens")
    if given is None:
        return None
    by_age = _group(said, "cache_creation")
    for_an_hour = token_count(by_age, "ephemeral_1h_input_tokens") or 0
    ages = for_an_hour + (token_count(by_age, "ephemeral_5m_input_tokens") or 0)
    written = max(token_count(said, "cache_creation_input_tokens") or 0, ages)
    cached = token_count(said, "cache_read_input_tokens") or 0
    return _usage(
        given + cached + written,
        output,
        cached=cached,
        written=written,
        for_an_hour=for_an_hour,
        reasoning=token_count(_group(said, "output_tokens_details"), "thinking_tokens"),
    )


def _compactions(iterations: object) -> list[Mapping[str, object]]:
    listed = iterations if isinstance(iterations, list) else []
    return [one for one in listed if isinstance(one, Mapping) and one.get("type") == "compaction"]


def _sum(first: Usage | None, *others: Usage | None) -> Usage | None:
    """What is unknown of the others is left out."""
    known = [usage for usage in others if usage]
    if first is None or not known:
        return first
    found = Usage(*(sum(counts) for counts in zip(*map(astuple, [first, *known]), strict=True)))
    return found if max(found.input_tokens, found.output_tokens) <= MAX_TOKENS else None


def usage_of_gemini(value: object) -> Usage | None:
    """`usageMetadata` of generateContent. Input has the cached tokens within and those of tool
    results beside it; output has the thoughts beside it. A count of zero is left out."""
    if not isinstance(value, Mapping):
        return None
    prompt = token_count(value, "promptTokenCount")
    if prompt is None or not _zero_or_count(value, "candidatesTokenCount"):
        return None
    given = prompt + (token_count(value, "toolUsePromptTokenCount") or 0)
    thoughts = token_count(value, "thoughtsTokenCount") or 0
    output = (token_count(value, "candidatesTokenCount") or 0) + thoughts
    return _usage(
        given,
        _with_hidden(given, output, token_count(value, "totalTokenCount")),
        cached=token_count(value, "cachedContentTokenCount"),
        reasoning=thoughts,
    )


def usage_of_ollama(line: object) -> Usage | None:
    """The last line of a chat. Ollama leaves out a count of zero, and that of a prompt it has
    cached, so one is enough to know both."""
    names = ("prompt_eval_count", "eval_count")
    if not isinstance(line, Mapping) or not all(_zero_or_count(line, name) for name in names):
        return None
    given, output = (token_count(line, name) for name in names)
    if given is None and output is None:
        return None
    return _usage(given or 0, output or 0)


def token_count(mapping: Mapping[str, object], name: str) -> int | None:
    """None for what cannot be a number of tokens: no request has had a billion."""
    value = mapping.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MAX_TOKENS else None


def _usage(
    given: int | None,
    output: int | None,
    *,
    cached: int | None = None,
    written: int | None = None,
    for_an_hour: int = 0,
    reasoning: int | None = None,
) -> Usage | None:
    if given is None or output is None or max(given, output) > MAX_TOKENS:
        return None
    read = min(cached or 0, given)
    stored = min(written or 0, given - read)
    return Usage(
        given,
        output,
        cached_input_tokens=read,
        cache_write_tokens=stored,
        cache_write_1h_tokens=min(for_an_hour, stored),
        reasoning_tokens=min(reasoning or 0, output),
    )


def _with_hidden(given: int | None, output: int | None, total: int | None) -> int | None:
    if given is None or output is None or total is None:
        return output
    return max(output, total - given)


def _says_something(value: object) -> bool:
    """A later piece replaces a count by a count only."""
    return isinstance(value, Mapping) or token_count({"": value}, "") is not None


def _zero_or_count(mapping: Mapping[str, object], name: str) -> bool:
    return mapping.get(name) is None or token_count(mapping, name) is not None


def _first(mapping: Mapping[str, object], *names: str) -> int | None:
    for name in names:
        count = token_count(mapping, name)
        if count is not None:
            return count
    return None


def _first_group(mapping: Mapping[str, object], *names: str) -> Mapping[str, object]:
    for name in names:
        if group := _group(mapping, name):
            return group
    return {}


def _group(mapping: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = mapping.get(name)
    return value if isinstance(value, Mapping) else {}
