"""What callers are told beside the answer (gateways.md, 2a), on success and on error."""

import pytest

from penstock_cli.stub import EMPTY, Ok, Status
from penstock_config.budget import Amounts, Budget
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import RateLimits
from tests.planes.plane import NAMESPACE, Plane, chat
from tests.sidecar.http.edge import exchange

STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
PROVIDERS_OWN = {"x-request-id": "req_7", "x-ratelimit-remaining-tokens": "1234"}


@STREAMS
async def test_the_provider_s_own_request_id_and_limits_reach_the_caller(
    plane: Plane, stream: bool
) -> None:
    plane.main.always(Ok(headers=PROVIDERS_OWN))
    response = await plane.ask(chat(stream=stream))
    assert PROVIDERS_OWN.items() <= response.headers.items()


async def test_our_own_limit_is_told_rather_than_the_provider_s(plane: Plane) -> None:
    limits = RateLimits(requests_per_minute=10)
    await plane.publish(plane.config(limits=(CallerLimit(name="a", per="App", limits=limits),)))
    plane.main.always(Ok(headers={"x-ratelimit-remaining-requests": "999", **PROVIDERS_OWN}))
    for left in ("9", "8", "7"):
        response = await plane.ask(chat())
        assert response.headers["x-ratelimit-remaining-requests"] == left
        assert response.headers["x-ratelimit-remaining-tokens"] == "1234"


@STREAMS
async def test_what_a_budget_has_left_is_told(plane: Plane, stream: bool) -> None:
    budgets = (
        Budget(id=f"{NAMESPACE}/large", limits=Amounts(daily=5_000_000)),
        Budget(id=f"{NAMESPACE}/small", limits=Amounts(daily=2_000_000)),
    )
    await plane.publish(plane.config().model_copy(update={"budgets": budgets}))
    response = await plane.ask(chat(stream=stream))
    assert 1.9 < float(response.headers["x-penstock-budget-remaining-usd"]) < 2
    assert response.headers["x-penstock-budget-remaining-usd"].startswith("1.999")


async def test_an_error_says_what_it_cost(plane: Plane) -> None:
    """An empty answer is billed, and answers nobody."""
    plane.main.always(EMPTY)
    response = await plane.ask(chat() | {"model": "solo"})
    assert response.status == 502
    assert float(response.headers["x-penstock-cost-usd"]) > 0
    assert response.headers["x-litellm-response-cost"] == response.headers["x-penstock-cost-usd"]


async def test_a_model_without_a_price_that_did_nothing_leaves_the_cost_known(plane: Plane) -> None:
    config = plane.config()
    main, backup = config.providers
    model = main.models[0].model_copy(update={"price": None})
    main = main.model_copy(update={"models": (model,)})
    await plane.publish(config.model_copy(update={"providers": (main, backup)}))
    assert "x-penstock-cost-usd" not in (await plane.ask(chat())).headers
    await plane.main.refuse()
    response = await plane.ask(chat("again"))
    assert response.headers["x-penstock-provider"] == f"{NAMESPACE}/backup"
    assert float(response.headers["x-penstock-cost-usd"]) > 0


async def test_retries_and_fallbacks_are_counted_apart(plane: Plane) -> None:
    """A candidate that our own books refuse is passed over, not retried."""
    config = plane.config(retry=Retry(attempts=2, backoff_ms=0))
    full = RateLimits(tokens_per_minute=1)
    main = config.providers[0].model_copy(update={"limits": full})
    await plane.publish(config.model_copy(update={"providers": (main, config.providers[1])}))
    plane.backup.queue(Status(500))
    response = await plane.ask(chat())
    assert response.headers["x-penstock-provider"] == f"{NAMESPACE}/backup"
    assert response.headers["x-penstock-attempted-fallbacks"] == "1"
    assert response.headers["x-penstock-attempted-retries"] == "1"


async def test_a_header_that_is_no_utf_8_counts_for_a_limit_as_any_other(plane: Plane) -> None:
    limits = RateLimits(requests_per_minute=1)
    limit = CallerLimit(name="team", per="Header", header="x-team", limits=limits)
    await plane.publish(plane.config(limits=(limit,)))
    body = b'{"model":"fast","messages":[{"role":"user","content":"hello"}]}'
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx-team: \xff\xfe\r\n"
    data = head + b"content-length: %d\r\n\r\n" % len(body) + body
    statuses = [(await exchange(plane.ports.application, data)).status for _ in range(2)]
    assert statuses == [200, 429]
