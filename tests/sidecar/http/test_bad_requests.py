"""What cannot be served: each a clear error in the API's format, and the edge goes on."""

import asyncio

import pytest

from penstock_sidecar.http.asking import Bounds
from tests.sidecar.http.edge import (
    CHAT,
    Edge,
    connection,
    exchange,
    head,
    post,
    read_response,
)

JSON = b'{"model":"fast","messages":[]}'


async def test_malformed_json_is_a_400(edge: Edge) -> None:
    response = await exchange(edge.number, post(b'{"model": '))
    assert (response.status, response.error["type"]) == (400, "invalid_request_error")
    assert response.headers["x-should-retry"] == "false"
    assert edge.told == ["caller_invalid_request"]
    assert edge.service.asked == []


async def test_an_unknown_path_is_a_404_that_lists_what_is_served(edge: Edge) -> None:
    response = await exchange(edge.number, head("GET", "/v2/whatever"))
    assert (response.status, response.error["code"]) == (404, "unknown_url")
    assert "POST /v1/chat/completions" in response.error["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH"])
async def test_a_wrong_method_is_a_405_with_allow(edge: Edge, method: str) -> None:
    response = await exchange(edge.number, head(method, CHAT), bodiless=method == "HEAD")
    assert response.status == 405
    assert response.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/v1/messages", "/v1/messages"),
        ("/chat/completions", "/v1/chat/completions"),
        ("/models", "/v1/models"),
        ("/openai/v1/messages/", "/v1/messages"),
    ],
)
async def test_a_wrong_base_url_is_told_from_the_paths_end(
    edge: Edge, path: str, meant: str
) -> None:
    error = (await exchange(edge.number, post(b"", path))).error
    assert f"so that it asks for {meant}; served: " in error["message"]


@pytest.mark.parametrize("path", ["/v1/audio/speech", "/nowhere", "//", "/s"])
async def test_what_resembles_nothing_gets_no_advice(edge: Edge, path: str) -> None:
    error = (await exchange(edge.number, post(b"", path))).error
    assert "is not served here; served: " in error["message"]


async def test_head_is_a_get_without_its_body(edge: Edge) -> None:
    response = await exchange(edge.number, head("HEAD", "/v1/models"), bodiless=True)
    assert response.status == 200
    assert int(response.headers["content-length"]) > 0


async def test_options_allow_methods_and_no_origin(edge: Edge) -> None:
    response = await exchange(edge.number, head("OPTIONS", CHAT, origin="http://evil.example"))
    assert (response.status, response.headers["allow"]) == (204, "POST, OPTIONS")
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_a_body_that_says_it_is_too_large_is_refused_unread(edge: Edge) -> None:
    response = await exchange(edge.number, head(content_length="1001"))
    assert (response.status, response.error["code"]) == (413, "request_too_large")


async def test_a_chunked_body_is_refused_when_it_grows_too_large(edge: Edge) -> None:
    chunk = b"258\r\n" + b"x" * 0x258 + b"\r\n"
    data = head(transfer_encoding="chunked") + chunk * 2 + b"0\r\n\r\n"
    response = await exchange(edge.number, data)
    assert response.status == 413
    assert edge.told == ["caller_too_large"]


async def test_a_chunked_body_within_bounds_is_read(edge: Edge) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (JSON[:7], JSON[7:]))
    data = head(transfer_encoding="chunked") + chunks + b"0\r\n\r\n"
    assert (await exchange(edge.number, data)).status == 200
    assert edge.service.asked[0].body == JSON


async def test_a_missing_content_type_is_tolerated(edge: Edge) -> None:
    assert (await exchange(edge.number, post(JSON))).status == 200


async def test_a_body_that_does_not_come_is_a_408() -> None:
    slow = Edge(bounds=Bounds(max_body_bytes=1000, body_seconds=0.05))
    async with slow.listening():
        response = await exchange(slow.number, head(content_length="100") + b"{")
    assert (response.status, response.error["code"]) == (408, "request_timeout")


async def test_a_wrongly_framed_body_is_a_400(edge: Edge) -> None:
    response = await exchange(edge.number, head(transfer_encoding="chunked") + b"zz\r\nhello\r\n")
    assert response.status == 400
    assert response.error["type"] == "invalid_request_error"


async def test_what_is_not_http_is_a_400_in_json_that_echoes_nothing(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    response = await exchange(edge.number, b"\x16\x03\x01 sk-secret\r\n\r\n")
    assert response.status == 400
    assert response.error["type"] == "invalid_request_error"
    assert b"sk-secret" not in response.body
    assert "sk-secret" not in caplog.text


async def test_a_header_that_is_too_long_is_a_400(edge: Edge) -> None:
    response = await exchange(edge.number, post(JSON, authorization="x" * 10_000))
    assert response.status == 400
    assert "too long" in response.error["message"]


async def test_more_requests_than_may_be_in_flight_are_a_503(edge: Edge) -> None:
    with edge.load, edge.load, edge.load:
        response = await exchange(edge.number, post(JSON))
    assert (response.status, response.error["type"]) == (503, "overloaded_error")
    assert response.headers["retry-after"] == "1"
    assert (await exchange(edge.number, post(JSON))).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:4141", "127.0.0.1.evil.example", "localhost.evil:80"]
)
async def test_a_rebound_host_name_is_refused(edge: Edge, host: str) -> None:
    response = await exchange(edge.number, post(JSON, host=host))
    assert (response.status, response.error["code"]) == (403, "stranger_refused")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4141", "127.0.0.1:9", "[::1]", "[::1]:4"])
async def test_every_loopback_name_is_served(edge: Edge, host: str) -> None:
    assert (await exchange(edge.number, post(JSON, host=host))).status == 200


async def test_a_page_cannot_spend_money_with_a_request_that_needs_no_preflight(edge: Edge) -> None:
    data = post(JSON, origin="https://evil.example", content_type="text/plain")
    response = await exchange(edge.number, data)
    assert response.status == 403
    assert edge.service.asked == []


async def test_a_forwarded_origin_is_served_without_cors_headers(edge: Edge) -> None:
    data = post(JSON, origin="https://shop.example", content_type="application/json; charset=utf-8")
    response = await exchange(edge.number, data)
    assert response.status == 200
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_a_client_that_waits_for_100_continue_is_told_to_go_on(edge: Edge) -> None:
    async with connection(edge.number) as (reader, writer):
        writer.write(head(content_length=str(len(JSON)), expect="100-continue"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        writer.write(JSON)
        assert (await read_response(reader)).status == 200


async def test_an_old_client_is_never_told_to_go_on(edge: Edge) -> None:
    """HTTP/1.0 would take it for the answer (RFC 9110, 10.1.1)."""
    data = post(JSON, expect="100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await exchange(edge.number, data)).status == 200


async def test_a_header_sent_twice_counts_twice(edge: Edge) -> None:
    twice = b"Cache-Control: no-cache\r\ncache-control: no-store\r\n"
    request_line, rest = post(JSON).split(b"\r\n", 1)
    await exchange(edge.number, request_line + b"\r\n" + twice + rest)
    assert edge.service.asked[0].headers["cache-control"] == "no-cache, no-store"


async def test_pipelined_requests_are_answered_in_order(edge: Edge) -> None:
    bodies = [JSON.replace(b"fast", b"m%d" % number) for number in range(5)]
    async with connection(edge.number) as (reader, writer):
        writer.write(b"".join(map(post, bodies)) + head("GET", "/nowhere"))
        statuses = [(await read_response(reader)).status for _ in range(6)]
    assert statuses == [200] * 5 + [404]
    assert [request.model for request in edge.service.asked] == ["m0", "m1", "m2", "m3", "m4"]


async def test_an_error_leaves_the_connection_usable(edge: Edge) -> None:
    async with connection(edge.number) as (reader, writer):
        writer.write(post(b"nonsense"))
        assert (await read_response(reader)).status == 400
        writer.write(post(JSON))
        assert (await read_response(reader)).status == 200


async def test_random_bytes_never_stop_the_edge(edge: Edge) -> None:
    for data in (b"\x00" * 100, b"GET\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n", b"\r\n" * 50):
        async with connection(edge.number) as (reader, writer):
            writer.write(data)
            writer.write_eof()
            await reader.read()
    assert (await exchange(edge.number, post(JSON))).status == 200
    assert edge.load.in_flight == 0
    await asyncio.wait_for(edge.load.idle(), 1)


async def test_an_old_client_without_host_is_served(edge: Edge) -> None:
    data = post(JSON, host="").replace(b"HTTP/1.1", b"HTTP/1.0")
    assert (await exchange(edge.number, data)).status == 200


async def test_every_answer_carries_a_call_id_of_its_own(edge: Edge) -> None:
    responses = [await exchange(edge.number, data) for data in (post(JSON), post(b"?"), post(JSON))]
    ids = {response.headers["x-penstock-call-id"] for response in responses}
    assert len(ids) == 3
    assert all(r.headers["x-request-id"] == r.headers["x-penstock-call-id"] for r in responses)
