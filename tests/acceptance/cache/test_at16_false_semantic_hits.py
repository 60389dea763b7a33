"""AT16: what means something else is never answered with what means something like it.

Against an embedder that finds everything the same: whatever keeps two questions apart here is the
sidecar's own. How often the real one is wrong is measured by `make eval-cache`.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Ok
from penstock_config.embedder import Match
from tests.planes.meaning import ASKED, KEPT, SIMILARITY, Meaning, meaning, said

SYSTEM = {"role": "system", "content": "You answer for a bank."}
EARLIER = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Good day"}]
TOOL = {"type": "function", "function": {"name": "open_account", "parameters": {}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}


@pytest.fixture
async def credulous(tmp_path: Path, redis_url: str) -> AsyncIterator[Meaning]:
    """Everything is near everything; the guard is on."""
    async with meaning(tmp_path, redis_url) as found:
        await found.publish(guard=True)
        yield found


async def everything_is_near(cache: Meaning) -> None:
    """From now on, all that is kept is what was asked for."""
    cache.embedder.says = [Match(name=v.name, similarity=0.999) for v in cache.embedder.kept]


def conversation(*before: dict[str, str]) -> dict[str, Any]:
    return {"messages": [*before, {"role": "user", "content": ASKED}]}


CHANGES: dict[str, dict[str, Any]] = {
    "system prompt": conversation(SYSTEM),
    "developer prompt": conversation({**SYSTEM, "role": "developer"}),
    "history": conversation(*EARLIER),
    "tools": {"tools": [TOOL]},
    "tools that may not be called": {"tools": [TOOL], "tool_choice": "none"},
    "a schema": {"response_format": SCHEMA},
    "JSON": {"response_format": {"type": "json_object"}},
    "a temperature": {"temperature": 0.7},
    "temperature 0": {"temperature": 0},
    "top_p": {"top_p": 0.5},
    "seed": {"seed": 7},
    "max_tokens": {"max_tokens": 5},
    "stop": {"stop": ["."]},
    "choices": {"n": 2},
    "logprobs": {"logprobs": True},
    "effort": {"reasoning_effort": "low"},
    "what nobody knows yet": {"a_field_of_tomorrow": 1},
    "tier": {"model": "solo"},
    "model": {"model": "large"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES.keys())
async def test_at16_whatever_else_differs_is_another_question(
    credulous: Meaning, changes: dict[str, Any]
) -> None:
    await credulous.publish()
    await credulous.keep(KEPT)
    await everything_is_near(credulous)
    assert said(await credulous.ask(ASKED, **changes)) == "miss"
    assert said(await credulous.ask(ASKED)) == "hit-semantic", "nothing differs but the last turn"


@pytest.mark.parametrize(
    "changes",
    [conversation(SYSTEM), conversation(*EARLIER), {"seed": 7}, {"model": "solo"}],
    ids=["system prompt", "history", "seed", "tier"],
)
async def test_at16_what_else_was_asked_may_be_the_same(
    credulous: Meaning, changes: dict[str, Any]
) -> None:
    """The other half: else the test above would also pass with nothing ever found."""
    await credulous.publish()
    kept = {**changes}
    if "messages" in kept:
        kept["messages"] = [*kept["messages"][:-1], {"role": "user", "content": KEPT}]
    await credulous.keep(KEPT, **kept)
    await everything_is_near(credulous)
    assert said(await credulous.ask(ASKED, **changes)) == "hit-semantic"


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        ("What is 15 percent of 80?", "What is 18 percent of 80?"),
        ("Convert three miles to kilometres", "Convert four miles to kilometres"),
        ("How much is 5 kg of rice?", "How much is 5 lb of rice?"),
        ("Is the museum open on Sunday?", "Is the museum not open on Sunday?"),
        (
            "Who painted the roof of the chapel in Rome?",
            "Who painted the roof of the hall in Delft?",
        ),
        ("How do I fly from Oslo to Lima?", "How do I fly from Lima to Oslo?"),
        ("Explain `a += b` in Python", "Explain `a -= b` in Python"),
        ("What is new in version 3.11?", "What is new in version 3.12?"),
        ("Where is the nearest library?", "Wo ist die nächste Bibliothek?"),
        ("Does Anna owe Ben money?", "Does Ben owe Anna money?"),
        ("What is the deadline for order A-1042?", "What is the deadline for order A-1043?"),
        # Of questions as brief as "what is a fjord?" the model itself tells the format apart: it is
        # asked in test_at16_with_the_real_model.
        (
            "Answer in one word: what is the deepest fjord in Norway?",
            "Answer as a list: what is the deepest fjord in Norway?",
        ),
    ],
    ids=[
        "number",
        "number in words",
        "unit",
        "negation",
        "entity",
        "direction",
        "code",
        "version",
        "language",
        "roles",
        "identifier",
        "format",
    ],
)
async def test_at16_words_that_change_the_meaning_are_seen(
    credulous: Meaning, kept: str, asked: str
) -> None:
    await credulous.keep(kept)
    await everything_is_near(credulous)
    assert said(await credulous.ask(asked)) == "miss"
    assert await credulous.metric("penstock_cache_semantic_lookups_total", result="guarded") == 1


async def test_at16_the_guard_lets_a_paraphrase_through(credulous: Meaning) -> None:
    await credulous.keep("How do I open a savings account?")
    await everything_is_near(credulous)
    assert said(await credulous.ask("How can I open a savings account?")) == "hit-semantic"


async def test_at16_a_wrong_answer_can_be_taken_away_by_the_key_it_carries(
    credulous: Meaning,
) -> None:
    await credulous.keep(KEPT)
    hit = await credulous.ask(ASKED)
    assert float(hit.headers["x-penstock-cache-similarity"]) == SIMILARITY
    assert await credulous.remove(id=hit.headers["x-penstock-cache-key"]) == 1
    await credulous.embedder.until(lambda: not credulous.embedder.kept)
    assert said(await credulous.ask(ASKED)) == "miss"


async def test_at16_answers_can_be_taken_away_by_what_they_are_about(credulous: Meaning) -> None:
    about, far = "Tell me of savings", "Who was Kepler?"
    await credulous.keep(KEPT)
    await credulous.keep(KEPT, max_tokens=64)
    await credulous.keep(far)
    credulous.embedder.near[KEPT, about] = 0.93
    credulous.embedder.near[far, about] = 0.2
    assert await credulous.remove(similar=about, least="0.95") == 0
    assert await credulous.remove(similar=about) == 2
    await credulous.embedder.until(lambda: [v.text for v in credulous.embedder.kept] == [far])
    credulous.plane.main.always(Ok(text="Anew"))
    assert said(await credulous.ask(KEPT)) == "miss"
    assert said(await credulous.ask(far)) == "hit-semantic"


async def test_at16_all_of_a_scope_can_be_taken_away(credulous: Meaning) -> None:
    await credulous.keep(KEPT)
    assert await credulous.remove(all="") == 1
    await credulous.embedder.until(lambda: not credulous.embedder.kept)
    assert said(await credulous.ask(ASKED)) == "miss"
