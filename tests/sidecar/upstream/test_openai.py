import json

import pytest

from penstock_cli.stub import Ok, Raw, StubProvider, Tokens, ToolCall
from penstock_config.provider import Auth
from penstock_sidecar.dialects.quirks import quirks_of
from penstock_sidecar.model import Usage
from tests.sidecar.upstream.conftest import HELLO, Acme, read


async def test_a_plain_answer_is_one_chunk_of_untouched_bytes(
    stub: StubProvider, acme: Acme
) -> None:
    body = b'{ "choices": [{"index":0,"message":{"content":"Yes"},"finish_reason":"stop"}] , "x":1}'
    stub.always(Raw((body,), content_type="application/json"))
    got = await acme.ask()
    assert got.data == body
    assert [chunk.end for chunk in got.chunks] == [True]
    assert (got.finish, got.text_bytes, got.content_type) == ("stop", 3, "application/json")


async def test_usage_is_read_with_its_parts(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("Yes", usage=Tokens(100, 50, cached=80, reasoning=30)))
    expected = Usage(100, 50, cached_input_tokens=80, reasoning_tokens=30)
    assert (await acme.ask()).usage == expected
    assert (await acme.ask(stream=True)).usage == expected


async def test_explicit_zeros_are_kept(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("Yes", usage=Tokens(0, 0)))
    assert (await acme.ask()).usage == Usage(0, 0)


async def test_the_provider_gets_the_caller_s_body_with_its_own_model_name(
    stub: StubProvider, acme: Acme
) -> None:
    await acme.ask(temperature=0.5, x_unknown={"a": [1, None]})
    assert (await stub.request()).body == {
        "model": "acme-m",
        "messages": [HELLO],
        "temperature": 0.5,
        "x_unknown": {"a": [1, None]},
    }


async def test_bytes_pass_untouched_where_nothing_differs(stub: StubProvider, acme: Acme) -> None:
    call = acme.prepare(model="acme-m", max_tokens=5, most=5)
    await read(acme.upstream(), call)
    assert (await stub.request()).raw == call.request.body


@pytest.mark.parametrize(
    ("own", "most", "sent"),
    [
        ({}, 7, {"max_tokens": 7}),
        ({}, None, {}),
        ({"max_tokens": 9}, 7, {"max_tokens": 7}),
        ({"max_tokens": 5}, 7, {"max_tokens": 5}),
        ({"max_completion_tokens": 9}, 7, {"max_completion_tokens": 7}),
        (
            {"max_completion_tokens": 9, "max_tokens": 3},
            7,
            {"max_completion_tokens": 7, "max_tokens": 3},
        ),
    ],
)
async def test_the_hold_bounds_the_output(
    stub: StubProvider, acme: Acme, own: dict[str, int], most: int | None, sent: dict[str, int]
) -> None:
    await acme.ask(most=most, **own)
    body = (await stub.request()).body
    assert {name: value for name, value in body.items() if name.startswith("max_")} == sent


def test_openai_itself_is_bounded_by_the_newer_field() -> None:
    assert quirks_of("https://api.openai.com/v1").limit_field == "max_completion_tokens"
    assert quirks_of("https://x.openai.azure.com/openai/v1").limit_field == "max_completion_tokens"
    assert quirks_of("https://api.together.xyz/v1").limit_field == "max_tokens"
    assert quirks_of("https://notopenai.com/v1").limit_field == "max_tokens"


async def test_a_nudge_asks_again_after_the_caller_s_messages(
    stub: StubProvider, acme: Acme
) -> None:
    await acme.ask(nudge=True)
    messages = (await stub.request()).body["messages"]
    assert isinstance(messages, list)
    assert messages[0] == HELLO
    assert "empty" in messages[1]["content"]


async def test_only_our_own_headers_reach_the_provider(stub: StubProvider, acme: Acme) -> None:
    acme.headers = {"openai-organization": "org-1"}
    caller = {
        "authorization": "Bearer the-caller-s",
        "x-stainless-lang": "python",
        "connection": "close",
        "x-penstock-user": "ann",
        "cookie": "a=b",
    }
    await acme.ask(caller_headers=caller)
    headers = dict((await stub.request()).headers)
    assert headers.pop("host")
    assert headers.pop("content-length")
    assert headers.pop("user-agent").startswith("penstock/")
    assert headers == {
        "authorization": "Bearer sk-test-0123456789",
        "content-type": "application/json",
        "accept-encoding": "identity",
        "openai-organization": "org-1",
    }


@pytest.mark.parametrize(
    ("auth", "header", "query"),
    [
        (Auth(), ("authorization", "Bearer sk-test-0123456789"), {}),
        (Auth(scheme="Header", name="api-key"), ("api-key", "sk-test-0123456789"), {}),
        (Auth(scheme="Query", name="key"), None, {"key": "sk-test-0123456789"}),
    ],
)
async def test_the_key_goes_where_the_provider_wants_it(
    stub: StubProvider,
    acme: Acme,
    auth: Auth,
    header: tuple[str, str] | None,
    query: dict[str, str],
) -> None:
    acme.auth = auth
    await acme.ask()
    seen = await stub.request()
    assert seen.query == query
    assert header is None or seen.headers[header[0]] == header[1]


async def test_a_provider_without_a_key_is_called_without_one(
    stub: StubProvider, acme: Acme
) -> None:
    acme.keys, acme.needs_key = (), False
    await acme.ask()
    assert "authorization" not in (await stub.request()).headers


async def test_rate_limits_and_the_request_id_of_the_provider_are_shown(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(
        Ok("Yes", headers={"X-RateLimit-Remaining-Requests": "7", "Set-Cookie": "a=b", "Via": "x"})
    )
    assert (await acme.ask()).headers == {
        "x-ratelimit-remaining-requests": "7",
        "x-request-id": "req_stub1",
    }


async def test_a_tool_call_is_an_answer(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("", tool_calls=(ToolCall("weather", '{"at":"Rome"}'),)))
    plain, stream = await acme.ask(), await acme.ask(stream=True)
    assert plain.finish == stream.finish == "tool_calls"
    assert plain.text_bytes == stream.text_bytes == len('weather{"at":"Rome"}')


async def test_a_refusal_is_an_answer(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("", refusal="No."))
    assert (await acme.ask()).text_bytes == 3
    assert (await acme.ask(stream=True)).chunks


async def test_at22_a_stream_is_the_provider_s_byte_for_byte_but_for_the_usage_we_asked_for(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Ok("All is well.", usage=Tokens(3, 4)))
    wanted = await acme.ask(stream=True, stream_options={"include_usage": True})
    assert wanted.events[-1]["choices"] == []
    unwanted = await acme.ask(stream=True, stream_options={"include_obfuscation": False})
    assert (await stub.request(2)).body["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }
    usage_event = [e for e in wanted.data.split(b"\n\n") if b'"choices":[]' in e]
    expected = wanted.data.replace(usage_event[0] + b"\n\n", b"").replace(b"stub1", b"stub2")
    assert unwanted.data == expected
    assert unwanted.usage == wanted.usage == Usage(3, 4)


async def test_every_event_stays_a_chunk_of_its_own(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("a b c"))
    got = await acme.ask(stream=True)
    assert [chunk.data.count(b"data: ") for chunk in got.chunks if chunk.data] == [1] * 6
    assert got.text_bytes == len("a b c")


async def test_comments_and_unknown_events_pass(stub: StubProvider, acme: Acme) -> None:
    body = (
        b": waking up\r\n\r\n"
        b'data: {"choices":[],"prompt_filter_results":[]}\r\n\r\n'
        b'event: x\r\ndata: {"choices":[{"index":0,\r\ndata: "delta":{"content":"Yes"}}]}\r\n\r\n'
        b"data: [DONE]\r\n\r\n"
    )
    stub.always(Raw((body,)))
    got = await acme.ask(stream=True)
    assert got.data == body
    assert got.text_bytes == 3


async def test_a_stream_may_end_without_done_if_it_has_finished(
    stub: StubProvider, acme: Acme
) -> None:
    choice = {"index": 0, "delta": {"content": "Yes"}, "finish_reason": "stop"}
    event = b"data: " + json.dumps({"choices": [choice]}).encode()
    stub.always(Raw((event,)))
    got = await acme.ask(stream=True)
    assert got.data == event + b"\n\n" + b"data: [DONE]\n\n"
    assert got.chunks[-1].end


async def test_a_connection_serves_again_after_a_complete_answer(
    stub: StubProvider, acme: Acme
) -> None:
    upstream = acme.upstream()
    await read(upstream, acme.prepare())
    await read(upstream, acme.prepare(stream=True))
    await read(upstream, acme.prepare())
    assert len({seen.peer for seen in stub.requests}) == 1


async def test_large_bodies_arrive_whole(stub: StubProvider, acme: Acme) -> None:
    content = "x" * 3_000_000
    await acme.ask(messages=[{"role": "user", "content": content}])
    assert (await stub.request()).body["messages"] == [{"role": "user", "content": content}]
