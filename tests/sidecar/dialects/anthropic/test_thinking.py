"""How each of Anthropic's models is told to think, and what else it is not told then."""

from typing import Any

import pytest

from penstock_sidecar.dialects.anthropic.headers import OUR_VERSION
from penstock_sidecar.dialects.anthropic.traits import traits_of
from penstock_sidecar.dialects.anthropic.write import write_messages
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.prompt import (
    Prompt,
    Reasoning,
    Sampling,
    Text,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from tests.fakes.vendors.anthropic_rules import complaint

HEADERS = {"x-api-key": "k", "anthropic-version": OUR_VERSION}
HI = Turn("user", (Text("Hi"),))
BUDGET = {"type": "enabled", "budget_tokens": 2048}
ADAPTIVE = {"type": "adaptive", "display": "summarized"}
TOOL = Tool("f", None, {})


def wrote(model: str, *, reasons: bool = True, **fields: Any) -> dict[str, Any]:
    prompt = Prompt(**{"turns": (HI,), "max_output_tokens": 9000, **fields})
    body = write_messages(prompt, Ask(model, False, None, reasons=reasons))
    assert complaint(body, HEADERS) is None
    return body


@pytest.mark.parametrize(
    ("model", "low", "none"),
    [
        ("claude-3-7-sonnet-20250219", {"thinking": BUDGET}, {}),
        ("claude-sonnet-4-20250514", {"thinking": BUDGET}, {}),
        ("anthropic.claude-opus-4-1-20250805-v1:0", {"thinking": BUDGET}, {}),
        ("claude-sonnet-4-5", {"thinking": BUDGET}, {}),
        ("claude-opus-4-6", {"thinking": ADAPTIVE, "effort": "low"}, {}),
        ("claude-opus-4-8", {"thinking": ADAPTIVE, "effort": "low"}, {}),
        (
            "claude-sonnet-5",
            {"thinking": ADAPTIVE, "effort": "low"},
            {"thinking": {"type": "disabled"}},
        ),
        ("claude-opus-5-5", {"thinking": ADAPTIVE, "effort": "low"}, {"effort": "low"}),
        ("claude-fable-5", {"thinking": ADAPTIVE, "effort": "low"}, {"effort": "low"}),
        (
            "claude-sonnet-5-5",
            {"thinking": ADAPTIVE, "effort": "low"},
            {"thinking": {"type": "between_tools"}},
        ),
        ("claude-of-tomorrow", {"thinking": ADAPTIVE, "effort": "low"}, {"effort": "low"}),
    ],
)
def test_each_model_is_told_in_its_own_words(
    model: str, low: dict[str, Any], none: dict[str, Any]
) -> None:
    for effort, said in (("low", low), ("none", none)):
        body = wrote(model, reasoning=Reasoning(effort))  # type: ignore[arg-type]  # its two words
        thinking = {"thinking": body["thinking"]} if "thinking" in body else {}
        config = body.get("output_config", {})
        assert thinking | config == said


def test_who_copies_the_dialect_is_told_what_all_understand() -> None:
    sampling = Sampling(temperature=0.5)
    body = wrote("claude-sonnet-4-5", sampling=sampling)
    assert write_messages(
        Prompt((HI,), sampling=sampling, max_output_tokens=9000), Ask("glm-4.6", False, None)
    ) == {**body, "model": "glm-4.6"}
    assert traits_of("kimi-k2").refuses == frozenset()


@pytest.mark.parametrize(
    ("model", "said"), [("claude-opus-4-6", "high"), ("claude-opus-4-7", "xhigh")]
)
def test_the_highest_effort_is_said_as_high_as_the_model_knows(model: str, said: str) -> None:
    assert wrote(model, reasoning=Reasoning("xhigh"))["output_config"] == {"effort": said}


@pytest.mark.parametrize(
    ("budget", "limit", "said"),
    [(2048, 9000, 2048), (2048, 2000, 1999), (100, 9000, 1024), (2048, 1024, None)],
)
def test_a_budget_leaves_room_for_the_answer(budget: int, limit: int, said: int | None) -> None:
    body = wrote(
        "claude-sonnet-4-5",
        reasoning=Reasoning(budget_tokens=budget),
        max_output_tokens=limit,
    )
    thinking = {"type": "enabled", "budget_tokens": said}
    assert body.get("thinking") == (None if said is None else thinking)


def test_a_budget_is_an_effort_where_there_are_no_budgets() -> None:
    body = wrote("claude-opus-4-7", reasoning=Reasoning(budget_tokens=9000, shown=False))
    assert body["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert body["output_config"] == {"effort": "high"}


def test_only_models_that_can_are_told_to_think() -> None:
    assert "thinking" not in wrote("claude-opus-4-7", reasons=False, reasoning=Reasoning("low"))


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5"])
def test_before_a_call_that_must_happen_nobody_thinks(model: str) -> None:
    choice = ToolChoice("required")
    body = wrote(model, reasoning=Reasoning("low"), tools=(TOOL,), tool_choice=choice)
    assert "thinking" not in body
    assert body["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize(
    ("model", "effort", "said"),
    [
        ("claude-sonnet-4-5", None, {"temperature": 0.5, "top_k": 3}),
        ("claude-opus-4-6", None, {"temperature": 0.5, "top_k": 3}),
        ("claude-sonnet-4-5", "low", {}),
        ("claude-opus-4-6", "low", {}),
        ("claude-opus-4-7", None, {}),
        ("claude-opus-5-5", None, {}),
    ],
)
def test_sampling_is_said_to_those_who_take_it(
    model: str, effort: Any, said: dict[str, Any]
) -> None:
    reasoning = Reasoning(effort) if effort else None
    body = wrote(model, sampling=Sampling(0.5, 0.9, 3), reasoning=reasoning)
    names = {"temperature", "top_p", "top_k"} & body.keys()
    assert {name: body[name] for name in names} == said


@pytest.mark.parametrize(
    ("thought", "thinks"), [((), False), ((Thought("hm", "s"),), True), ((Thought("hm"),), False)]
)
def test_between_call_and_result_a_budget_needs_the_thoughts(
    thought: tuple[Thought, ...], thinks: bool
) -> None:
    turns = (
        HI,
        Turn("assistant", (*thought, ToolCall("a", "f", "{}"))),
        Turn("user", (ToolResult("a", (Text("x"),)),)),
    )
    fields: dict[str, Any] = {"turns": turns, "tools": (TOOL,), "reasoning": Reasoning("low")}
    assert ("thinking" in wrote("claude-sonnet-4-5", **fields)) is thinks
    assert "thinking" in wrote("claude-opus-4-7", **fields)
