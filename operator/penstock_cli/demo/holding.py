"""Chapters about what is held back: money, and too many requests."""

import asyncio
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from penstock_cli.client import Told
from penstock_cli.demo.stage import WINDOW_SECONDS, Stage
from penstock_cli.demo.story import Shown, expect
from penstock_cli.sidecar_process import RunningSidecar

OFFERED_PER_LIMIT: Final = 3
MOST_REQUESTS: Final = 40
EVE: Final = {"x-penstock-user": "eve"}


async def budget(stage: Stage) -> Shown:
    """Asks until the day's money is gone; far fewer than `MOST_REQUESTS` requests do."""
    limit = Decimal(stage.config.budgets[0].limits.daily or 0) / 1_000_000
    spent, served = Decimal(0), 0
    for number in range(MOST_REQUESTS):
        pod = stage.pods[number % 2]
        user = {"x-penstock-user": f"writer-{number}"}
        answer = await stage.client.ask(
            pod.url, "quality", f"Essay {number}, please.", headers=user
        )
        if not answer.served:
            break
        served += 1
        spent += Decimal(answer.header("cost-usd"))
    expect(answer.limited, f"after {served} requests the status is {answer.status}")
    expect(answer.error.get("code") == "insufficient_quota", f"the code is {answer.error}")
    expect(0 < spent <= limit, f"{spent} USD were spent of {limit}")
    reset = datetime.fromisoformat(str(answer.error["metadata"]["resets_at"]))
    expect(reset > datetime.now(UTC), f"it resets at {reset}")
    return Shown(
        (
            ("served", f"{served} requests for ${spent} of ${limit} a day"),
            ("then", f"429 insufficient_quota: {answer.error['message']}"),
            ("resets at", reset.isoformat()),
        ),
        "The money is reserved before the call, at its upper bound, and settled after it: the "
        "budget is never overspent.",
    )


async def limit(stage: Stage) -> Shown:
    """Offers three times the limit, always to both pods at once."""
    allowed = stage.config.policies[0].limits[0].limits.requests_per_minute or 0
    answers: list[Told] = []
    while len(answers) < allowed * OFFERED_PER_LIMIT:
        asked = [_asked_by_eve(stage, pod, f"Gate {len(answers)}?") for pod in stage.pods]
        answers += await asyncio.gather(*asked)
    admitted = [a for a in answers if a.served]
    denied = [a for a in answers if a.limited]
    expect(len(admitted) == allowed, f"{len(admitted)} were admitted where {allowed} may be")
    expect(len(admitted) + len(denied) == len(answers), "some were neither admitted nor limited")
    last = denied[-1].headers
    wait_ms = int(last.get("retry-after-ms", 0))
    expect(0 < wait_ms <= 2000 * WINDOW_SECONDS, f"retry-after-ms is {wait_ms}")
    expect(int(last["retry-after"]) == math.ceil(wait_ms / 1000), "the two hints differ")
    await asyncio.sleep(wait_ms / 1000)
    later = await _asked_by_eve(stage, stage.pods[1], "Gate now?")
    expect(later.served, f"after the wait that was asked for the status is {later.status}")
    return Shown(
        (
            ("offered", f"{len(answers)} requests of one user, half of them to each pod"),
            ("admitted", f"{len(admitted)}: {_shares(stage, answers)}"),
            ("denied", f"{len(denied)}, told to come back after {wait_ms} ms"),
            ("came back", f"after {wait_ms} ms, and was served"),
        ),
        f"Both pods count in Redis, atomically. (A minute lasts {WINDOW_SECONDS} s in this demo, "
        "so that you need not wait for one.)",
    )


async def _asked_by_eve(stage: Stage, pod: RunningSidecar, question: str) -> Told:
    """Never what another pod was asked: the cache would answer that."""
    return await stage.client.ask(pod.url, "fast", f"{question} At {pod.name}?", headers=EVE)


def _shares(stage: Stage, answers: Sequence[Told]) -> str:
    """How many of the answers each pod served; they were asked in turn."""
    served = [answer.served for answer in answers]
    by_pod = (sum(served[0::2]), sum(served[1::2]))
    return ", ".join(
        f"{number} by {pod.name}" for number, pod in zip(by_pod, stage.pods, strict=True)
    )
