"""How a model is told to think, and when it must not be."""

from typing import Final

from penstock_sidecar.dialects.anthropic.traits import Traits
from penstock_sidecar.dialects.efforts import effort_of, tokens_of
from penstock_sidecar.dialects.prompt import (
    Effort,
    Prompt,
    Reasoning,
    Thought,
    ToolCall,
    ToolResult,
)

MIN_BUDGET_TOKENS: Final = 1_024
EFFORTS: Final[dict[Effort, str]] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
}


def thinking_fields(prompt: Prompt, traits: Traits, max_tokens: int) -> dict[str, object]:
    """`thinking` and `effort`, each where it is to be said; none where nothing was asked."""
    reasoning = prompt.reasoning
    if reasoning is None:
        return {}
    if effort_of(reasoning) == "none":
        return _silent(traits)
    if prompt.tool_choice.mode in {"required", "one"} and prompt.tools:
        return {}  # it refuses to think before a call that must happen
    if traits.adaptive:
        return _adaptive(reasoning, traits)
    return _budgeted(prompt, reasoning, max_tokens)


def _silent(traits: Traits) -> dict[str, object]:
    match traits.silenced_by:
        case None:
            return {}
        case "low effort":
            return {"effort": "low"}
        case how:
            return {"thinking": {"type": how}}


def _adaptive(reasoning: Reasoning, traits: Traits) -> dict[str, object]:
    display = "summarized" if reasoning.shown else "omitted"
    fields: dict[str, object] = {"thinking": {"type": "adaptive", "display": display}}
    if effort := effort_of(reasoning):
        said = EFFORTS[effort]
        fields["effort"] = "high" if said == "xhigh" and not traits.xhigh else said
    return fields


def _budgeted(prompt: Prompt, reasoning: Reasoning, max_tokens: int) -> dict[str, object]:
    """Thoughts are part of the answer's tokens, and there must be room for the rest of it."""
    wanted = tokens_of(reasoning, max_tokens) or MIN_BUDGET_TOKENS
    budget = min(max(wanted, MIN_BUDGET_TOKENS), max_tokens - 1)
    if budget < MIN_BUDGET_TOKENS or _thoughts_lost(prompt):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _thoughts_lost(prompt: Prompt) -> bool:
    """Between a call and its result such a model wants the thoughts that led to the call, as it
    said them; callers of other dialects do not have them."""
    last = prompt.turns[-1] if prompt.turns else None
    if last is None or not any(isinstance(part, ToolResult) for part in last.parts):
        return False
    answers = [turn for turn in prompt.turns if turn.role == "assistant"]
    parts = answers[-1].parts if answers else ()
    called = any(isinstance(part, ToolCall) for part in parts)
    return called and not any(
        isinstance(part, Thought) and (part.signature or part.redacted) for part in parts
    )
