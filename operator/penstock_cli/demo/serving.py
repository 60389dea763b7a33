"""Chapters about who answers: routing, cache, streaming, fallback."""

import asyncio
from decimal import Decimal
from typing import Final

from penstock_cli.client import Told
from penstock_cli.demo.stage import Stage
from penstock_cli.demo.story import Shown, expect
from penstock_cli.stub import Ok, Status

QUESTION: Final = "What does a penstock hold back?"


async def route(stage: Stage) -> Shown:
    url = stage.pods[0].url
    plain = await stage.client.ask(url, "auto", QUESTION)
    report = await stage.client.ask(url, "auto", QUESTION, headers={"x-task": "report"})
    _expect_served(plain, tier="fast", reason="auto")
    _expect_served(report, tier="quality", reason="reports-need-quality")
    return Shown(
        (("a request", _served(plain)), ("the same with x-task: report", _served(report))),
        "The application named no model. The policy's first matching rule chose, else its default.",
    )


async def cache(stage: Stage) -> Shown:
    prompt = "How high is the water?"
    first = await stage.client.ask(stage.pods[0].url, "fast", prompt)
    again = await stage.client.ask(stage.pods[1].url, "fast", prompt)
    expect(first.header("cache") == "miss", f"the first answer was a {first.header('cache')}")
    expect(again.header("cache") == "hit-exact", f"the second was a {again.header('cache')}")
    expect(again.text == first.text, "the cached answer differs")
    saved = Decimal(again.header("cost-saved-usd") or "0")
    expect(saved == Decimal(first.header("cost-usd")) > 0, f"it saved {saved} USD")
    return Shown(
        (
            (f"asked at {stage.pods[0].name}", _cost(first)),
            (f"again at {stage.pods[1].name}", f"{_cost(again)}, saved ${saved:f}"),
        ),
        "Both pods belong to one app and share its answers through Redis. Other apps never see "
        "them.",
    )


async def stream(stage: Stage) -> Shown:
    """Each word leaves the provider only when the one before has arrived here."""
    turn = asyncio.Semaphore(1)
    stage.providers.swift.queue(Ok("One word after the other, none held back.", each=turn))
    pieces = []
    async for piece in stage.client.stream(stage.pods[0].url, "fast", "Recite slowly."):
        pieces.append(piece)
        turn.release()
    expect(len(pieces) > 1, f"the answer came in {len(pieces)} piece")
    return Shown(
        (("pieces", " | ".join(piece.strip() for piece in pieces)),),
        "The provider sent each piece only after the one before had reached the application.",
    )


async def fallback(stage: Stage) -> Shown:
    swift = stage.providers.swift
    swift.always(Status(500))
    before = len(swift.requests)
    answer = await stage.client.ask(stage.pods[0].url, "fast", "Is anybody there?")
    failed = len(swift.requests) - before
    swift.always(Ok("Back again."))
    _expect_served(answer, tier="fast", reason="tier")
    expect(answer.header("provider") == "demo/basement", f"served by {answer.header('provider')}")
    expect(failed > 0, "the failing provider was not asked")
    return Shown(
        (
            ("demo/swift", f"answered 500, {failed} times"),
            ("instead", f"{_served(answer)}, status {answer.status}"),
        ),
        "A failing provider is tried again, then the tier's next candidate serves: here one that "
        "speaks Ollama's protocol, translated.",
    )


def _expect_served(answer: Told, *, tier: str, reason: str) -> None:
    expect(answer.served, f"the status is {answer.status}: {answer.error}")
    expect(answer.header("tier") == tier, f"the tier is {answer.header('tier')}, not {tier}")
    found = answer.header("route-reason")
    expect(found == reason, f"the route's reason is {found}, not {reason}")


def _served(answer: Told) -> str:
    return (
        f"{answer.header('model')} of {answer.header('provider')}, "
        f"tier {answer.header('tier')}, because: {answer.header('route-reason')}"
    )


def _cost(answer: Told) -> str:
    return f"{answer.seconds * 1000:.0f} ms, ${answer.header('cost-usd')}"
