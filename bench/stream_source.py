"""`python -m bench.stream_source PORT`: a provider whose streams say when each piece was sent.

Speaks just enough HTTP: one request a connection at a time, each answered by the same number of
events, evenly spaced. Times are those of CLOCK_MONOTONIC, which all processes of a machine share.
"""

import asyncio
import sys
import time
from typing import Final

import uvloop

PIECES: Final = 200
EVERY_SECONDS: Final = 0.02
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
EVENT: Final = (
    '{{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,'
    '"model":"bench-model","choices":[{{"index":0,"delta":{},"finish_reason":{}}}]}}'
)
LENGTH: Final = b"content-length: "


async def serve(port: int) -> None:
    server = await asyncio.start_server(_converse, "127.0.0.1", port)
    await server.serve_forever()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await _request(reader)
            await _answer(writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _request(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, rest = head.partition(LENGTH)
    await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))


async def _answer(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(PIECES):
        await asyncio.sleep(began + number * EVERY_SECONDS - loop.time())
        delta = f'{{"content":"{time.monotonic_ns()} "}}'
        writer.write(_framed(EVENT.format(delta, "null")))
    writer.write(_framed(EVENT.format("{}", '"stop"')))
    writer.write(_framed("[DONE]") + b"0\r\n\r\n")
    await writer.drain()


def _framed(text: str) -> bytes:
    event = f"data: {text}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
