"""AT7: who waits as long as he is told is served, and a provider's own hints come through."""

import asyncio
from random import Random

from penstock_cli.stub import Status, StubProvider
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.fleet import Fleet, config
from tests.acceptance.load import Limited, published, subjects
from tests.acceptance.registry import Case

SUBJECTS = 50
"""Of each sort."""
AT_ONCE = 25
LIMIT = 4
WINDOW_SECONDS = 0.8
SENT = (("7", "6543"), ("7", None), (None, "6543"), (None, None))
"""By a provider: `retry-after` and `retry-after-ms`."""
HINTS = ("retry-after", "retry-after-ms")


def told_seconds(reply: Reply, hint: str) -> float:
    """What `hint` says; both are there whenever one is."""
    assert reply.headers.keys() >= set(HINTS), reply.headers
    return float(reply.headers[hint]) / (1000 if hint.endswith("-ms") else 1)


async def test_at7_a_client_that_sleeps_retry_after_is_served_on_its_first_retry(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """At least 99 of 100 subjects, half of them out of requests and half out of tokens."""
    limited = Limited.to(LIMIT, window_seconds=WINDOW_SECONDS)
    await eight.publish(published(case, fake, limited))
    await application.warm_up(eight, case)
    template = subjects(case, fake, eight, application, f"at7-{case}")
    gate = asyncio.Semaphore(AT_ONCE)

    async def retried(number: int, body: bytes) -> int:
        """Asks until refused, sleeps as told, asks once more; the status then."""
        hint = HINTS[number % len(HINTS)]

        async def ask() -> Reply:
            sidecar = eight.anyone(template.small.chance)
            name = f"at7-{case}-{number}-{len(body)}"
            return await application.decided(sidecar, case, body, x_subject=name)

        async with gate:
            while (reply := await ask()).status == 200:
                pass
            assert reply.status == 429
            await asyncio.sleep(told_seconds(reply, hint))
            return (await ask()).status

    bodies = (template.small.body, template.large.body)
    retries = [retried(number, body) for number in range(SUBJECTS) for body in bodies]
    statuses = await asyncio.gather(*retries)
    assert statuses.count(200) >= 0.99 * len(statuses)
    assert set(statuses) <= {200, 429}


async def test_at7_a_providers_429_stays_one_and_its_hints_survive(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """Never told shorter than the provider said, and hardly longer."""
    names = {f"at7-{case}-{number}": sent for number, sent in enumerate(SENT)}
    await eight.publish(config(*(case.provider.configured(fake, name) for name in names)))
    for name, (seconds, milliseconds) in names.items():
        headers = {} if milliseconds is None else {"retry-after-ms": milliseconds}
        fake.always(Status(429, retry_after=seconds, headers=headers))
        body = case.endpoint.body(name, max_tokens=5)
        reply = await application.ask(eight.anyone(Random(name)), case, body)
        assert (reply.status, reply.error["code"]) == (429, "rate_limit_exceeded")
        if seconds or milliseconds:
            said = int(milliseconds) / 1000 if milliseconds else float(seconds or 0)
            assert said <= told_seconds(reply, "retry-after-ms") <= 1.15 * said
            assert said <= told_seconds(reply, "retry-after") <= 1.15 * said + 1
