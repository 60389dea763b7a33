"""A provider finds the request too long: a model with a larger window may take it."""

import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.provider import Health
from penstock_config.schema import SidecarConfig
from tests.planes.plane import NAMESPACE, Plane, chat

TOO_LONG = Status(
    400,
    "This model's maximum context length is 8192 tokens.",
    error_code="context_length_exceeded",
    param="messages",
)
streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])


def windows(plane: Plane, main: int | None, backup: int | None) -> SidecarConfig:
    """Of both candidates' models; nobody cools by a single failure."""
    config = plane.config()
    providers = tuple(
        provider.model_copy(
            update={
                "models": (provider.models[0].model_copy(update={"context_window": window}),),
                "health": Health(failure_threshold=1),
            }
        )
        for provider, window in zip(config.providers, (main, backup), strict=True)
    )
    return config.model_copy(update={"providers": providers})


@streamed
@pytest.mark.parametrize("larger", [8193, None])
async def test_the_next_larger_window_takes_it(
    plane: Plane, larger: int | None, stream: bool
) -> None:
    await plane.publish(windows(plane, 8192, larger))
    plane.main.always(TOO_LONG)
    response = await plane.ask(chat(stream=stream))
    assert response.status == 200
    assert response.headers["x-penstock-provider"] == f"{NAMESPACE}/backup"


@streamed
@pytest.mark.parametrize("smaller", [8192, 4000])
async def test_a_window_that_is_no_larger_is_not_asked(
    plane: Plane, smaller: int, stream: bool
) -> None:
    await plane.publish(windows(plane, 8192, smaller))
    plane.main.always(TOO_LONG)
    response = await plane.ask(chat(stream=stream))
    assert (response.status, response.error["code"]) == (400, "context_length_exceeded")
    assert response.error["param"] == "messages"
    assert response.headers["x-should-retry"] == "false"
    assert plane.backup.requests == []


async def test_a_fallback_tier_may_have_it(plane: Plane) -> None:
    config = windows(plane, 8192, 100_000)
    fast, solo = config.tiers
    solo = solo.model_copy(update={"fallback_tiers": (fast.id,)})
    await plane.publish(config.model_copy(update={"tiers": (fast, solo)}))
    plane.main.always(TOO_LONG)
    response = await plane.ask(chat(model="solo"))
    assert response.headers["x-penstock-model"] == "large"
    assert len(plane.main.requests) == 1


async def test_where_the_larger_one_fails_that_is_the_error(plane: Plane) -> None:
    """It may serve later."""
    await plane.publish(windows(plane, 8192, 100_000))
    plane.main.always(TOO_LONG)
    plane.backup.always(Status(429, retry_after="7"))
    response = await plane.ask(chat())
    assert response.status == 429
    assert response.headers["retry-after"] == "7"


async def test_where_the_smaller_one_failed_too_it_is_too_long(plane: Plane) -> None:
    await plane.publish(windows(plane, 4000, 8192))
    plane.main.always(Status(500))
    plane.backup.always(TOO_LONG)
    assert (await plane.ask(chat())).error["code"] == "context_length_exceeded"


async def test_it_says_nothing_against_the_provider(plane: Plane) -> None:
    await plane.publish(windows(plane, 8192, 100_000))
    plane.main.queue(TOO_LONG, Ok())
    providers = [(await plane.ask(chat())).headers["x-penstock-provider"] for _ in range(2)]
    assert providers == [f"{NAMESPACE}/backup", f"{NAMESPACE}/main"]


VENDORS = {
    "Anthropic": "prompt is too long: 200251 tokens > 200000 maximum",
    "Gemini": "The input token count (9) exceeds the maximum number of tokens allowed",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "Mistral": "Prompt contains 40 tokens, too large for 32 maximum context length",
    "TGI": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8",
}


@pytest.mark.parametrize("vendor", VENDORS)
async def test_each_vendors_words_for_it_are_known(plane: Plane, vendor: str) -> None:
    await plane.publish(windows(plane, 8192, 100_000))
    plane.main.always(Status(400, VENDORS[vendor]))
    assert (await plane.ask(chat())).headers["x-penstock-model"] == "large"
