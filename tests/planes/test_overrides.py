"""What a rule changes for its requests: retries, the answer's length, the cache."""

import json
from typing import Any

import pytest

from penstock_cli.stub import EMPTY, Ok, Status
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import Overrides, Retry, Rule, Target
from penstock_config.provider import Health
from penstock_config.schema import SidecarConfig
from tests.planes.plane import NAMESPACE, Plane, chat

SOLO = Target(tier=f"{NAMESPACE}/solo")
NEVER_COOLS = Health(failure_threshold=10**9)


def with_rule(plane: Plane, overrides: Overrides, **policy: Any) -> SidecarConfig:
    """For all requests; `solo` has one candidate, which never cools."""
    rule = Rule(name="special", target=SOLO, overrides=overrides)
    config = plane.config(rules=(rule,), **policy)
    providers = (p.model_copy(update={"health": NEVER_COOLS}) for p in config.providers)
    return config.model_copy(update={"providers": tuple(providers)})


async def test_its_retries_take_the_place_of_the_policys(plane: Plane) -> None:
    await plane.publish(with_rule(plane, Overrides(retry=Retry(attempts=3, backoff_ms=0))))
    plane.main.always(Status(500))
    assert (await plane.ask(chat())).status == 502
    assert len(plane.main.requests) == 3


@pytest.mark.parametrize(("asked", "sent"), [(None, 20), (100, 20), (5, 5)])
async def test_answers_are_no_longer_than_it_says(
    plane: Plane, asked: int | None, sent: int
) -> None:
    await plane.publish(with_rule(plane, Overrides(max_output_tokens=20)))
    fields: dict[str, Any] = {} if asked is None else {"max_tokens": asked}
    assert (await plane.ask(chat(**fields))).status == 200
    body = (await plane.main.request()).body
    assert body.get("max_completion_tokens", body.get("max_tokens")) == sent


async def test_a_long_answer_that_it_shortens_fits_a_small_window(plane: Plane) -> None:
    await plane.publish(with_rule(plane, Overrides(max_output_tokens=20)))
    assert (await plane.ask(chat(max_tokens=8190))).status == 200


async def test_it_can_pass_by_the_cache(plane: Plane) -> None:
    cache = Cache(exact=ExactCache())
    await plane.publish(with_rule(plane, Overrides(cache_bypassed=True), cache=cache))
    for _ in range(2):
        assert (await plane.ask(chat())).headers["x-penstock-cache"] == "bypass"
    assert len(plane.main.requests) == 2


async def test_retries_are_a_tenth_of_the_requests_and_a_few(plane: Plane) -> None:
    retry = Retry(attempts=2, backoff_ms=0)
    await plane.publish(with_rule(plane, Overrides(), retry=retry))
    plane.main.always(Status(500))
    for _ in range(60):
        assert (await plane.ask(chat())).status == 502
    retries = len(plane.main.requests) - 60
    text = (await plane.probe("/metrics")).body.decode()
    assert f'penstock_retries_total{{policy="{NAMESPACE}/shop"}} {retries}.0' in text
    assert 5 + 6 <= retries <= 5 + 6 + 5, "a tenth, five at once, and one every six seconds"


async def test_an_empty_answer_is_asked_for_once_more_in_other_words(plane: Plane) -> None:
    """However many retries there may be."""
    await plane.publish(with_rule(plane, Overrides(retry=Retry(attempts=5, backoff_ms=0))))
    plane.main.always(EMPTY)
    response = await plane.ask(chat())
    assert json.loads(response.body)["error"]["code"] == "empty_completion"
    first, second = plane.main.requests
    assert len(second.raw) > len(first.raw)


async def test_what_comes_of_the_other_words_is_heard(plane: Plane) -> None:
    await plane.publish(with_rule(plane, Overrides(retry=Retry(attempts=2, backoff_ms=0))))
    plane.main.queue(EMPTY, Ok(text="after all"))
    assert b"after all" in (await plane.ask(chat())).body
