"""What Anthropic's own client hears when something is wrong."""

from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from penstock_cli.stub import EMPTY, Broken, Ok, Status
from tests.clients.anthropic_given import all_of, always, ask, every_provider
from tests.clients.house import House


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (Status(400, "messages.0: bad"), anthropic.BadRequestError, "invalid_request_error"),
        (Status(413), anthropic.ContentTooLargeError, "request_too_large"),
        (Status(429, retry_after="7"), anthropic.RateLimitError, "rate_limit_error"),
        (Status(500), anthropic.InternalServerError, "api_error"),
        (Status(529, retry_after="7"), anthropic.OverloadedError, "overloaded_error"),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Status) else None,
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_are_those_that_the_client_knows(
    house: House,
    client: AsyncAnthropic,
    status: Status,
    kind: type[anthropic.APIStatusError],
    said: str,
    streamed: bool,
) -> None:
    house.anthropic.always(status)
    with pytest.raises(kind) as caught:
        await client.messages.create(**ask("claude"), stream=streamed)
    assert caught.value.type == said
    assert caught.value.request_id
    assert caught.value.response.headers.get("retry-after") == status.retry_after


async def test_our_key_s_fault_is_not_the_caller_s(house: House, client: AsyncAnthropic) -> None:
    house.anthropic.always(Status(401))
    with pytest.raises(anthropic.InternalServerError) as caught:
        await client.messages.create(**ask("claude"))
    assert (caught.value.status_code, caught.value.type) == (502, "api_error")


@every_provider
async def test_a_prompt_too_long_is_said_in_the_words_that_clients_look_for(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    words = {
        "claude": "prompt is too long: 210000 tokens > 200000 maximum",
        "gpt": "This model's maximum context length is 8192 tokens.",
        "llama": "the input length exceeds the context length",
    }
    always(house, Status(400, words[tier]))
    with pytest.raises(anthropic.BadRequestError) as caught:
        await client.messages.create(**ask(tier))
    assert caught.value.api_message
    assert caught.value.api_message.startswith("prompt is too long")


async def test_the_client_s_retries_succeed(house: House) -> None:
    house.anthropic.queue(Status(529, headers={"retry-after-ms": "1"}), Ok("Here I am"))
    async with AsyncAnthropic(base_url=house.url, api_key="k", max_retries=1) as client:
        message = await client.messages.create(**ask("claude"))
    assert message.content[0].to_dict()["text"] == "Here I am"
    assert len(house.anthropic.requests) == 2


async def test_an_overloaded_provider_is_replaced_unseen(
    house: House, client: AsyncAnthropic
) -> None:
    house.anthropic.always(Status(529))
    house.openai.always(Ok("from the other"))
    message = await client.messages.create(**ask("any"))
    assert message.content[0].to_dict()["text"] == "from the other"


@pytest.mark.parametrize("behaviour", [EMPTY, Broken("error", 2), Broken("close", 3)])
async def test_a_stream_that_fails_before_its_content_is_replaced_unseen(
    house: House, client: AsyncAnthropic, behaviour: Any
) -> None:
    house.anthropic.always(behaviour)
    house.openai.always(Ok("whole"))
    async with client.messages.stream(**ask("any")) as stream:
        message = await stream.get_final_message()
    assert message.content[0].to_dict()["text"] == "whole"


@every_provider
@pytest.mark.parametrize("how", ["close", "reset", "malformed", "error"])
async def test_a_stream_that_breaks_after_its_content_raises_in_the_client(
    house: House, client: AsyncAnthropic, tier: str, how: Any
) -> None:
    always(house, Broken(how, after=5, answer=Ok("one two three four five six")))
    stream = await client.messages.create(**ask(tier), stream=True)
    with pytest.raises(anthropic.APIStatusError) as caught:
        await all_of(stream)
    assert caught.value.type


@every_provider
async def test_an_empty_answer_is_an_error(house: House, client: AsyncAnthropic, tier: str) -> None:
    always(house, EMPTY)
    with pytest.raises(anthropic.InternalServerError):
        await client.messages.create(**ask(tier))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"container": "c"}, "container"),
        (
            {"messages": [{"role": "user", "content": [{"type": "container_upload"}]}]},
            "messages[0]",
        ),
    ],
)
async def test_what_others_cannot_express_is_refused_by_name(
    house: House, client: AsyncAnthropic, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        await client.messages.create(**ask("gpt", **fields))
    assert f"`{param}" in str(caught.value.api_message)
    assert house.openai.requests == []


async def test_max_tokens_is_required(client: AsyncAnthropic) -> None:
    fields = ask("claude")
    del fields["max_tokens"]
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        await client.post("/v1/messages", body=fields, cast_to=object)


async def test_anthropic_s_own_limits_are_told(house: House, client: AsyncAnthropic) -> None:
    """A client that does not hear of them retries for ever."""
    limits = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-requests-reset": "2026-11-21T19:00:00Z",
    }
    house.anthropic.always(Status(429, retry_after="9", headers=limits))
    with pytest.raises(anthropic.RateLimitError) as caught:
        await client.messages.create(**ask("claude"))
    headers = caught.value.response.headers
    assert limits.items() <= headers.items()
    assert headers["retry-after"] == "9"
