"""Which way a request would take, asked of a sidecar at work."""

import json
from typing import Any

import pytest

from penstock_cli.stub import Status
from penstock_config.provider import RateLimits
from penstock_sidecar.normalise.paths import PARSES
from tests.planes.plane import NAMESPACE, Plane, chat
from tests.planes.test_strategies import choosing, limited
from tests.sidecar.http.edge import Response, exchange, post

SECRET = "my aunt Mathilda's recipe"
MAIN, BACKUP = f"{NAMESPACE}/main/small", f"{NAMESPACE}/backup/large"


async def answered(plane: Plane, path: str, document: object, **headers: str) -> Response:
    body = json.dumps(document).encode()
    return await exchange(plane.ports.admin, post(body, f"/debug/explain{path}", **headers))


async def explained(plane: Plane, **fields: Any) -> dict[str, Any]:
    response = await answered(plane, "/v1/chat/completions", chat(SECRET, **fields))
    assert response.status == 200
    assert b"Mathilda" not in response.body
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


async def test_the_whole_way_is_told_and_nothing_is_sent(plane: Plane) -> None:
    told = await explained(plane, user="eve")
    assert (told["policy"], told["user"]) == (f"{NAMESPACE}/shop", "eve")
    assert (told["rule"], told["target"]) == ("tier", f"tier:{NAMESPACE}/fast")
    assert told["classification"]["task"] == "chat"
    assert [each["candidate"] for each in told["candidates"]] == [MAIN, BACKUP]
    assert float(told["candidates"][0]["costsAtMostUSD"]) > 0
    assert told["refusal"] is None
    assert not plane.main.requests
    assert not plane.backup.requests


async def test_it_knows_what_has_failed(plane: Plane) -> None:
    plane.main.always(Status(500))
    while (told := await explained(plane))["candidates"][0]["candidate"] == MAIN:
        assert not told["dropped"]
        await plane.ask(chat())
    (drop,) = told["dropped"]
    assert (drop["candidate"], drop["kind"], drop["last"]) == (MAIN, "cooling", True)


async def test_it_knows_what_is_left_of_a_limit(plane: Plane) -> None:
    config = limited(choosing(plane, strategy="MostHeadroom"), main=RateLimits(requests_per_day=4))
    await plane.publish(config)
    for model in ("small", "large"):  # a limit is heard of by those that it counts
        await plane.ask(chat(model=model))
    for _ in range(3):
        await plane.ask(chat(model="small"))
    told = await explained(plane)
    assert [each["candidate"] for each in told["candidates"]] == [BACKUP, MAIN]
    (drop,) = told["dropped"]
    assert (drop["candidate"], drop["kind"]) == (MAIN, "headroom")
    assert {"name": f"{NAMESPACE}/main", "limits": {"requests_per_day": 4}} in told["limits"]


async def test_a_refusal_is_the_answer(plane: Plane) -> None:
    told = await explained(plane, model="unheard-of")
    assert told["refusal"].startswith("404 model_not_found: ")
    assert told["candidates"] == []


@pytest.mark.parametrize("path", ["/v1/messages", "/api/chat", "/v1/responses"])
async def test_each_api_s_requests_are_read_as_its_own(plane: Plane, path: str) -> None:
    words = {"input": "hello"} if path == "/v1/responses" else {"max_tokens": 9, **chat()}
    response = await answered(plane, path, {"model": "fast", **words})
    assert json.loads(response.body)["target"] == f"tier:{NAMESPACE}/fast"


async def test_what_cannot_be_read_is_refused_as_it_would_be(plane: Plane) -> None:
    response = await answered(plane, "/v1/chat/completions", {"model": "fast"})
    assert (response.status, response.error["param"]) == (400, "messages")


@pytest.mark.parametrize("path", ["", "/", "/v1/models", "/healthz"])
async def test_a_path_that_asks_no_model_is_told_which_do(plane: Plane, path: str) -> None:
    response = await answered(plane, path, chat())
    assert response.status == 404
    assert all(f"/debug/explain{path}" in response.error["message"] for path in PARSES)


async def test_web_pages_learn_nothing(plane: Plane) -> None:
    response = await answered(plane, "/v1/chat/completions", chat(), origin="http://evil.example")
    assert response.status == 403
