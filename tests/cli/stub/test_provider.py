import asyncio
import json

import aiohttp
import openai
import pytest

from penstock_cli.stub import (
    EMPTY,
    Bill,
    Broken,
    Ok,
    Raw,
    Status,
    StubProvider,
    Tokens,
    ToolCall,
)

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def client(stub: StubProvider) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{stub.url}/v1", api_key="k", max_retries=0)


async def chat(stub: StubProvider, **more: object) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{stub.url}/v1/chat/completions", json={**CHAT, **more}) as response,
    ):
        return response.status, await response.read()


async def ollama(stub: StubProvider, **more: object) -> list[dict[str, object]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{stub.url}/api/chat", json={**CHAT, **more}) as response,
    ):
        return [json.loads(line) for line in (await response.read()).splitlines()]


async def test_the_official_client_reads_a_plain_answer() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.always(Ok("All is well.", usage=Tokens(7, 3, cached=2, reasoning=1)))
        answer = await api.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "?"}]
        )
    assert answer.choices[0].message.content == "All is well."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)


async def test_the_official_client_reads_a_stream_word_by_word() -> None:
    async with StubProvider() as stub, client(stub) as api:
        stub.always(Ok("All is well.", tool_calls=(ToolCall("f", '{"a":1}'),)))
        stream = await api.chat.completions.create(
            model="m",
            messages=[{"role": "user", "content": "?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert [c.choices[0].delta.content for c in chunks[1:4]] == ["All ", "is ", "well."]
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None


async def test_ollama_answers_in_lines_and_in_one_piece() -> None:
    async with StubProvider(default=Ok("Well done.", usage=Tokens(5, 2))) as stub:
        lines = await ollama(stub)
        [whole] = await ollama(stub, stream=False)
    assert [line["message"]["content"] for line in lines] == ["Well ", "done.", ""]  # type: ignore[index]
    assert (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"]) == (5, 2)
    assert whole["message"] == {"role": "assistant", "content": "Well done."}


async def test_behaviours_queue_per_model_and_then_give_way_to_the_lasting_one() -> None:
    async with StubProvider() as stub:
        stub.queue(Status(500), model="m")
        stub.queue(Status(429, retry_after="2"))
        stub.always(EMPTY)
        statuses = [(await chat(stub))[0] for _ in range(3)]
    assert statuses == [500, 429, 200]


async def test_models_that_are_not_on_the_list_are_unknown() -> None:
    async with StubProvider({"m": Ok()}) as stub:
        assert (await chat(stub))[0] == 200
        status, body = await chat(stub, model="other")
    assert status == 404
    assert json.loads(body)["error"]["code"] == "model_not_found"


async def test_max_tokens_cuts_the_text_and_the_bill() -> None:
    async with StubProvider(default=Ok("one two three")) as stub:
        _, body = await chat(stub, max_tokens=2)
        document = json.loads(body)
    assert document["choices"][0]["finish_reason"] == "length"
    assert document["usage"]["completion_tokens"] == 2
    assert stub.bill("m").output_tokens == 2


async def test_a_client_that_leaves_is_noticed_and_billed_for_what_it_got() -> None:
    permits = asyncio.Semaphore(2)
    async with StubProvider(default=Ok("a b c d", usage=Tokens(9, 4), each=permits)) as stub:
        async with aiohttp.ClientSession() as session:
            response = await session.post(
                f"{stub.url}/v1/chat/completions", json={**CHAT, "stream": True}
            )
            await response.content.readuntil(b"b ")
            response.close()
            seen = await stub.request(1)
            await seen.disconnected.wait()
        await seen.ended.wait()
        assert stub.bill() == Bill(1, 9, 2)


@pytest.mark.parametrize(
    ("after", "how"), [(None, "close"), (0, "reset"), (2, "close"), (2, "reset")]
)
async def test_a_cut_is_a_broken_connection(after: int | None, how: str) -> None:
    async with StubProvider() as stub:
        stub.queue(Broken(how, after))  # type: ignore[arg-type]  # pytest's parameter
        with pytest.raises(aiohttp.ClientError):
            await chat(stub, stream=True)
        stub.queue(Broken(how, after))  # type: ignore[arg-type]
        with pytest.raises(aiohttp.ClientError):
            await chat(stub)


@pytest.mark.parametrize("stream", [False, True])
async def test_malformed_ends_in_bytes_that_are_not_json(stream: bool) -> None:
    async with StubProvider(default=Broken("malformed", 1)) as stub:
        _, body = await chat(stub, stream=stream)
    last = body.strip().splitlines()[-1].removeprefix(b"data: ")
    with pytest.raises(json.JSONDecodeError):
        json.loads(last)


async def test_a_stall_lasts_until_the_stub_ends() -> None:
    async with StubProvider(default=Broken("stall", 1)) as stub, aiohttp.ClientSession() as session:
        response = await session.post(
            f"{stub.url}/v1/chat/completions", json={**CHAT, "stream": True}
        )
        await response.content.readuntil(b"\n\n")
        seen = await stub.request(1)
        assert not seen.ended.is_set()
        response.close()
        await seen.disconnected.wait()


async def test_raw_bytes_come_as_they_are() -> None:
    async with StubProvider(default=Raw((b"dat", b"a: {}"), content_type="text/html")) as stub:
        assert await chat(stub) == (200, b"data: {}")


async def test_a_port_can_be_closed_and_opened_again() -> None:
    async with StubProvider() as stub:
        await stub.refuse()
        with pytest.raises(aiohttp.ClientConnectorError):
            await chat(stub)
        await stub.accept()
        assert (await chat(stub))[0] == 200


async def test_requests_are_kept_with_body_and_headers() -> None:
    async with StubProvider() as stub:
        await chat(stub, temperature=0)
        seen = await stub.request(1)
    assert seen.body["temperature"] == 0
    assert seen.headers["content-type"] == "application/json"
    assert not seen.disconnected.is_set()


async def test_models_are_listed_in_both_dialects() -> None:
    async with StubProvider({"m": Ok()}) as stub, aiohttp.ClientSession() as session:
        async with session.get(f"{stub.url}/v1/models") as response:
            assert (await response.json())["data"][0]["id"] == "m"
        async with session.get(f"{stub.url}/api/tags") as response:
            assert (await response.json())["models"][0]["name"] == "m"
