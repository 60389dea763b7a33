"""Requests go by what they are about and how hard they are, in a whole sidecar."""

import json

import pytest

from penstock_cli.stub import Status
from penstock_config.policy import Match, Rule, Target
from penstock_config.schema import SidecarConfig
from tests.planes.plane import NAMESPACE, Plane, chat

CODE = "Write a Python function that merges two sorted lists, with unit tests."
HEADERS = ("x-penstock-task", "x-penstock-complexity")


def ruled(plane: Plane) -> SidecarConfig:
    """Code goes to `solo`, what is hard to the model `large`, all else to `fast`."""
    rules = (
        Rule(
            name="hard",
            match=Match(complexity=("complex", "expert")),
            target=Target(model="large"),
        ),
        Rule(
            name="code",
            match=Match(tasks=("coding",)),
            target=Target(tier=f"{NAMESPACE}/solo"),
        ),
    )
    return plane.config(rules=rules)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
async def test_a_rule_of_a_task_takes_requests_about_it(plane: Plane, stream: bool) -> None:
    await plane.publish(ruled(plane))
    response = await plane.ask(chat(CODE, model="auto", stream=stream))
    assert response.status == 200
    assert response.headers["x-penstock-tier"] == "solo"
    assert response.headers["x-penstock-route-reason"] == "code"
    assert [response.headers[name] for name in HEADERS] == ["coding", "medium"]


async def test_all_else_goes_where_it_went(plane: Plane) -> None:
    await plane.publish(ruled(plane))
    response = await plane.ask(chat("hello", model="auto"))
    assert response.headers["x-penstock-tier"] == "fast"
    assert [response.headers[name] for name in HEADERS] == ["chat", "simple"]


async def test_the_caller_s_words_count_before_what_is_found(plane: Plane) -> None:
    await plane.publish(ruled(plane))
    hard = await plane.ask(chat("hello", model="auto"), **{HEADERS[1]: "expert"})
    assert (hard.headers["x-penstock-model"], hard.headers[HEADERS[1]]) == ("large", "expert")
    named = await plane.ask(chat("hello", model="auto:complex"))
    assert (named.headers["x-penstock-model"], named.headers[HEADERS[1]]) == ("large", "complex")
    code = await plane.ask(chat("hello", model="auto"), **{HEADERS[0]: "coding"})
    assert (code.headers["x-penstock-tier"], code.headers[HEADERS[0]]) == ("solo", "coding")


@pytest.mark.parametrize("name", HEADERS)
async def test_a_word_that_is_none_is_refused_in_the_api_s_own_format(
    plane: Plane, name: str
) -> None:
    response = await plane.ask(chat(), **{name: "gigantic"})
    assert response.status == 400
    error = json.loads(response.body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(f"header {name} must be one of ")
    assert "gigantic" not in error["message"]
    assert plane.main.requests == []


async def test_where_nothing_heeds_it_nothing_is_said(plane: Plane) -> None:
    response = await plane.ask(chat(CODE))
    assert response.status == 200
    assert not any(name in response.headers for name in HEADERS)


async def test_who_debugs_is_told_under_any_policy(plane: Plane) -> None:
    response = await plane.ask(chat(CODE), **{"x-penstock-debug": "true"})
    assert [response.headers[name] for name in HEADERS] == ["coding", "medium"]


async def test_an_error_says_what_the_request_was_taken_for(plane: Plane) -> None:
    await plane.publish(ruled(plane))
    plane.main.always(Status(500))
    response = await plane.ask(chat(CODE))
    assert response.status == 502
    assert response.headers[HEADERS[0]] == "coding"


async def test_the_cost_is_counted_by_how_hard_a_request_was(plane: Plane) -> None:
    await plane.publish(ruled(plane))
    for text in ("hello", CODE, "hello"):
        assert (await plane.ask(chat(text, model="auto"))).status == 200
    said = (await plane.probe("/metrics")).body.decode()
    name = "penstock_request_cost_usd_count"
    counts = [line for line in said.splitlines() if line.startswith(name)]
    assert sorted(counts) == [
        f'{name}{{complexity="medium",model="small"}} 1.0',
        f'{name}{{complexity="simple",model="small"}} 2.0',
    ]
