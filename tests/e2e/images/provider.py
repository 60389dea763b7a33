"""A provider in the cluster: the scripted one, on a pod's address, and what it was asked.

8080 speaks OpenAI's dialect. `slow` and `steady` answer word by word, four a second, for 25 and 10
seconds; every other model says its name at once.
8081: `GET /seen` lists requests as `{at, model, key, peer}`; `key` is the beginning of the SHA-256
of the key that came, for no log of a test should hold one.
"""

import asyncio
import hashlib
import signal
import time

from aiohttp import web

from penstock_cli.stub import Ok, StubProvider

EVERY_ADDRESS = "0.0.0.0"  # pods come from outside
PORT, RECORD_PORT = 8080, 8081
WORD_SECONDS = 0.25
LONG = {"slow": 100, "steady": 40}
"""Words."""
SHORT = {name: Ok() for name in ("first", "second", "third")}


class Record:
    def __init__(self, stub: StubProvider) -> None:
        self._stub = stub
        self._offset = time.time() - asyncio.get_running_loop().time()

    async def seen(self, _: web.Request) -> web.Response:
        return web.json_response(
            [
                {
                    "at": each.at + self._offset,
                    "model": each.model,
                    "key": fingerprint(each.headers.get("authorization", "")),
                    "peer": each.peer[0],
                }
                for each in self._stub.requests
            ]
        )


def fingerprint(authorization: str) -> str:
    return hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()[:12]


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    models = {name: Ok(text="word " * count, each=WORD_SECONDS) for name, count in LONG.items()}
    async with StubProvider({**models, **SHORT}, host=EVERY_ADDRESS, port=PORT) as stub:
        app = web.Application()
        app.router.add_get("/seen", Record(stub).seen)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, EVERY_ADDRESS, RECORD_PORT).start()
        await stop.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
