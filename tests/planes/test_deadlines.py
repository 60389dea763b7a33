"""A request ends in time, over all its attempts; nothing is begun that cannot.

Times are compared with one another: what should have been cut would last for ever.
"""

import asyncio
from typing import Any

import anthropic
import openai
import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.policy import Overrides, Retry, Rule, Target
from penstock_config.schema import SidecarConfig
from penstock_config.tier import TierTimeout
from tests.planes.plane import NAMESPACE, Plane, chat, within
from tests.sidecar.http.edge import Response

PATIENCE_SECONDS = 20
SHORT = {"x-request-timeout-ms": "300"}
FAST = Target(tier=f"{NAMESPACE}/fast")
streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])


async def ask(plane: Plane, *, headers: dict[str, str] | None = None, **fields: Any) -> Response:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await plane.ask(chat(**fields), **(headers or {}))


def with_rule(plane: Plane, overrides: Overrides, **policy: Any) -> SidecarConfig:
    rule = Rule(name="special", target=FAST, overrides=overrides)
    return plane.config(rules=(rule,), **policy)


@streamed
async def test_a_provider_that_is_silent_ends_in_an_error_that_says_what_to_change(
    plane: Plane, stream: bool
) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    response = await ask(plane, headers=SHORT, stream=stream)
    assert response.status == 504
    assert response.error["code"] == "deadline_exceeded"
    assert "x-request-timeout-ms asks for that" in response.error["message"]
    assert "team/main/small: upstream_timeout" in response.error["message"]
    await within(PATIENCE_SECONDS, (await plane.main.request()).disconnected)
    assert plane.backup.requests == [], "there was no time left for another"


async def test_anthropics_callers_hear_it_in_their_own_words(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    url = f"http://localhost:{plane.ports.application}"
    async with anthropic.AsyncAnthropic(base_url=url, api_key="x", max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await client.messages.create(
                model="fast",
                max_tokens=9,
                messages=[{"role": "user", "content": "hello"}],
                extra_headers=SHORT,
            )
    assert caught.value.status_code == 504
    assert "timeout_error" in str(caught.value.body)


async def test_the_official_clients_time_out_is_understood_and_goes_on(plane: Plane) -> None:
    async with plane.client(timeout=50) as client:
        await client.chat.completions.create(**chat())
    told = float((await plane.main.request()).headers["x-stainless-read-timeout"])
    assert 0 < told < 50


async def test_the_official_client_hears_why_before_it_gives_up(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    async with plane.client(timeout=3) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(**chat())
    assert caught.value.code == "deadline_exceeded"


async def test_where_nobody_said_a_time_the_provider_is_told_none(plane: Plane) -> None:
    await ask(plane)
    assert "x-stainless-read-timeout" not in (await plane.main.request()).headers


async def test_a_retry_that_would_begin_too_late_is_not_made(plane: Plane) -> None:
    """The provider asks for three seconds."""
    await plane.publish(plane.config(retry=Retry(attempts=2, backoff_ms=0)))
    plane.main.always(Status(503, retry_after="3"))
    response = await ask(plane, headers={"x-request-timeout-ms": "2000"}, model="solo")
    assert response.status == 504
    assert "team/main/small: upstream_error" in response.error["message"]
    assert len(plane.main.requests) == 1


async def test_a_stream_that_has_begun_is_not_cut(plane: Plane) -> None:
    """The other request began later, with as much time, and its time is over."""
    goes_on = asyncio.Semaphore(1)
    plane.main.queue(Ok(text="one two three", each=goes_on), Ok(first=asyncio.Event()))
    asking = asyncio.create_task(ask(plane, headers=SHORT, stream=True))
    await within(PATIENCE_SECONDS, (await plane.main.request()).started)
    assert (await ask(plane, headers=SHORT)).status == 504
    for _ in range(2):
        goes_on.release()
    response = await asking
    assert response.status == 200
    assert response.body.endswith(b"data: [DONE]\n\n")


async def test_a_rules_time_out_bounds_its_requests(plane: Plane) -> None:
    await plane.publish(with_rule(plane, Overrides(timeout_seconds=1)))
    plane.main.always(Ok(first=asyncio.Event()))
    response = await ask(plane)
    assert response.status == 504
    assert "rule special asks for that" in response.error["message"]


async def test_a_tiers_time_out_bounds_requests_of_its_complexity(plane: Plane) -> None:
    config = plane.config()
    timeouts = tuple(
        TierTimeout(complexity=each, seconds=1) for each in ("simple", "medium", "complex")
    )
    fast, solo = config.tiers
    tiers = (fast.model_copy(update={"timeouts": timeouts}), solo)
    await plane.publish(config.model_copy(update={"tiers": tiers}))
    plane.main.always(Ok(first=asyncio.Event()))
    response = await ask(plane)
    assert response.status == 504
    assert "tier team/fast asks for that" in response.error["message"]


async def test_impatient_callers_do_not_speak_against_a_provider(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    for _ in range(4):  # three failures in a row would do
        assert (await ask(plane, headers={"x-request-timeout-ms": "50"})).status == 504
    plane.main.always(Ok())
    assert (await ask(plane)).headers["x-penstock-provider"] == f"{NAMESPACE}/main"


async def test_metrics_say_whose_time_was_over(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    await ask(plane, headers=SHORT)
    text = (await plane.probe("/metrics")).body.decode()
    assert 'penstock_request_errors_total{error_type="caller_deadline_exceeded"} 1.0' in text
