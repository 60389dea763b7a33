"""The list of bad input: each a clear error in OpenAI's format; nothing crashes, nothing leaks."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import EMPTY, Broken, Status
from penstock_config.credentials import Credentials
from penstock_config.policy import Target
from penstock_config.tier import Tier
from tests.planes.plane import KEY, NAMESPACE, Plane, chat, running_plane
from tests.sidecar.http.edge import Response, exchange, head


def verdict(response: Response) -> tuple[int, str, str | None]:
    return response.status, response.error["type"], response.error["code"]


@pytest.fixture(autouse=True)
async def _still_serves(plane: Plane) -> AsyncIterator[None]:
    """Whatever came in, the next request is served and nothing is left behind."""
    yield
    plane.main.always(Status(200, body=b""))
    state = await plane.state()
    assert state["in_flight"] == 0
    assert (await plane.probe("/healthz")).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"model":"fast","messages":' + b"[" * 9999,
    ],
)
async def test_malformed_json(plane: Plane, body: bytes) -> None:
    response = await plane.ask(body)
    assert verdict(response) == (400, "invalid_request_error", None)
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("document", "param"),
    [
        ({"model": "fast"}, "messages"),
        ({"model": "fast", "messages": []}, "messages"),
        ({"model": "fast", "messages": "hello"}, "messages"),
        ({"messages": [{"role": "user", "content": "hello"}]}, "model"),
        ({"model": 7, "messages": [{"role": "user", "content": "hello"}]}, "model"),
        (chat(stream="yes"), "stream"),
        (chat(max_tokens="many"), "max_tokens"),
        (chat(n=0), "n"),
    ],
)
async def test_a_field_that_is_missing_or_wrong_is_named(
    plane: Plane, document: dict[str, Any], param: str
) -> None:
    response = await plane.ask(document)
    assert verdict(response) == (400, "invalid_request_error", None)
    assert response.error["param"] == param


async def test_an_unknown_model(plane: Plane) -> None:
    response = await plane.ask(chat() | {"model": "gpt-9"})
    assert verdict(response) == (404, "invalid_request_error", "model_not_found")
    assert response.error["param"] == "model"


async def test_an_oversized_body(plane: Plane) -> None:
    response = await plane.ask(chat("x" * 100_000))
    assert verdict(response) == (413, "invalid_request_error", "request_too_large")


async def test_a_wrong_method(plane: Plane) -> None:
    response = await exchange(plane.ports.application, head("GET", "/v1/chat/completions"))
    assert verdict(response) == (405, "invalid_request_error", "method_not_allowed")
    assert response.headers["allow"] == "POST, OPTIONS"


async def test_an_unknown_path(plane: Plane) -> None:
    response = await exchange(plane.ports.application, head("POST", "/v1/images"))
    assert verdict(response) == (404, "invalid_request_error", "unknown_url")


@pytest.mark.parametrize("stream", [False, True])
async def test_every_provider_down(plane: Plane, stream: bool) -> None:
    await plane.main.refuse()
    await plane.backup.refuse()
    response = await plane.ask(chat(stream=stream))
    assert verdict(response) == (502, "server_error", "upstream_error")


async def test_a_provider_that_rejects_our_key_is_not_the_caller_s_fault(plane: Plane) -> None:
    plane.main.always(Status(401, message=f"Incorrect API key provided: {KEY}"))
    response = await plane.ask(chat() | {"model": "solo"})
    assert verdict(response) == (502, "server_error", "upstream_credentials_exhausted")
    assert KEY.encode() not in response.body


async def test_a_provider_s_429_stays_a_429_with_its_hint(plane: Plane) -> None:
    plane.main.always(Status(429, retry_after="7"))
    response = await plane.ask(chat() | {"model": "solo"})
    assert verdict(response) == (429, "requests", "rate_limit_exceeded")
    assert 1 <= int(response.headers["retry-after"]) <= 8


async def test_a_provider_s_500(plane: Plane) -> None:
    plane.main.always(Status(500, message="a stack trace with secrets"))
    response = await plane.ask(chat() | {"model": "solo"})
    assert verdict(response) == (502, "server_error", "upstream_error")
    assert b"secrets" not in response.body


async def test_a_request_that_the_provider_calls_invalid_is_not_sent_elsewhere(
    plane: Plane,
) -> None:
    plane.main.always(Status(400, message="temperature is too high", param="temperature"))
    response = await plane.ask(chat(temperature=9))
    assert response.status == 400
    assert response.error["type"] == "invalid_request_error"
    assert plane.backup.requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_empty_answers_everywhere(plane: Plane, stream: bool) -> None:
    """AT20."""
    plane.main.always(EMPTY)
    plane.backup.always(EMPTY)
    response = await plane.ask(chat(stream=stream))
    assert verdict(response) == (502, "server_error", "empty_completion")


async def test_a_stream_cut_half_way(plane: Plane) -> None:
    """AT21: in-band, and no [DONE]."""
    plane.main.always(Broken("reset", after=3))
    response = await plane.ask(chat(stream=True))
    assert response.status == 200
    events = [e.removeprefix(b"data: ") for e in response.body.strip().split(b"\n\n")]
    assert json.loads(events[-1])["error"]["code"] == "upstream_stream_broken"
    assert b"[DONE]" not in response.body


async def test_a_plain_answer_cut_half_way_is_replaced(plane: Plane) -> None:
    plane.main.always(Broken("close", after=2))
    response = await plane.ask(chat())
    assert response.status == 200
    assert response.headers["x-penstock-provider"] == "team/backup"


async def test_redis_down_at_start(tmp_path: Path, plane: Plane) -> None:
    """Served by the local share; the pod is alive and ready."""
    other = tmp_path / "other"
    other.mkdir()
    async with running_plane(other, "redis://127.0.0.1:1") as without:
        assert (await without.ask(chat())).status == 200
        assert (await without.probe("/readyz")).status == 200
        assert (await without.state())["redis_available"] is False
    assert (await plane.state())["redis_available"] is True


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"schema_version": 2, "clus', "not JSON (cut off?)"),
        (b'{"schema_version": 3}', "schema_version is 3"),
    ],
)
async def test_a_configuration_that_cannot_be_read_changes_nothing(
    plane: Plane, data: bytes, reason: str
) -> None:
    before = (await plane.state())["config_digest"]
    plane.write(data)
    await plane.sidecar.reload()
    state = await plane.state()
    assert state["config_digest"] == before
    assert reason in state["last_error"]
    assert (await plane.ask(chat())).status == 200
    assert (await plane.probe("/readyz")).status == 200
    metrics = (await plane.probe("/metrics")).body
    assert b"penstock_config_reload_failures_total 1.0" in metrics


async def test_a_dangling_reference_denies_its_route_with_the_reason(plane: Plane) -> None:
    """What the operator writes for it: a target that is denied."""
    await plane.publish(plane.config(default=Target(denied="tier team/gone does not exist")))
    response = await plane.ask(chat() | {"model": "auto"})
    assert verdict(response) == (503, "server_error", "route_denied")
    assert "team/gone" in response.error["message"]


async def test_a_tier_whose_candidates_are_gone_says_why(plane: Plane) -> None:
    config = plane.config()
    empty = Tier(id=f"{NAMESPACE}/fast", name="fast", candidates=(), denied="no provider is left")
    await plane.publish(config.model_copy(update={"tiers": (empty, config.tiers[1])}))
    response = await plane.ask(chat())
    assert verdict(response) == (503, "server_error", "route_denied")
    assert "no provider is left" in response.error["message"]


async def test_a_secret_without_the_key(plane: Plane) -> None:
    keyless = Credentials(redis=plane.credentials().redis, scope_key=plane.credentials().scope_key)
    await plane.publish(plane.config(), keyless)
    response = await plane.ask(chat() | {"model": "solo"})
    assert verdict(response) == (502, "server_error", "upstream_credentials_exhausted")
    assert plane.main.requests == []


async def test_no_policy_for_this_pod(plane: Plane) -> None:
    await plane.publish(plane.config().model_copy(update={"policies": ()}))
    response = await plane.ask(chat())
    assert verdict(response) == (503, "server_error", "route_denied")
    assert "RoutePolicy" in response.error["message"]


async def test_no_configuration_at_all(tmp_path: Path, plane: Plane) -> None:
    """Ready, clear, and at work as soon as one comes."""
    folder = tmp_path / "empty"
    folder.mkdir()
    async with running_plane(folder, plane.redis_url, written=False) as bare:
        assert (await bare.probe("/readyz")).status == 200
        response = await bare.ask(chat())
        assert verdict(response) == (503, "server_error", "configuration_missing")
        assert (await bare.state())["waiting_for"] == ["config.v2.json", "credentials.v2.json"]
        bare.write()
        await bare.sidecar.reload()
        assert (await bare.ask(chat())).status == 200


async def test_many_callers_that_leave_at_random_leave_nothing_behind(plane: Plane) -> None:
    """AT5 in small: the rest is the limits' own test."""

    async def leave(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", plane.ports.application)
        data = json.dumps(chat(str(number), stream=True)).encode()
        writer.write(head(content_length=str(len(data))) + data[: number * 7 % (len(data) + 1)])
        if number % 3 == 0:
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        del reader

    await asyncio.gather(*(leave(number) for number in range(60)))
    assert (await plane.ask(chat())).status == 200
