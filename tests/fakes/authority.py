"""Microsoft Entra ID's token endpoint, as its documentation shows it; scripted."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

TOKEN_SECONDS = 3599


@dataclass(frozen=True, slots=True)
class Grant:
    """A token that holds so long. `first` is waited for before the answer."""

    token: str
    seconds: int = TOKEN_SECONDS
    first: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Its error, with the number of its table."""

    status: int = 401
    error: str = "invalid_client"
    number: int = 7000215

    def document(self) -> dict[str, object]:
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: secret of app 'Shop' of ann@example.com",
            "error_codes": [self.number],
            "timestamp": "2026-11-21 10:00:00Z",
            "trace_id": "0f6aa5ae-0000-0000-0000-000000000000",
        }


@dataclass(frozen=True, slots=True)
class Garbage:
    """Any body at all."""

    body: bytes
    status: int = 200


Reply = Grant | Refuse | Garbage


@dataclass(slots=True)
class Authority:
    """Gives what is queued, then what is `always` given."""

    always: Reply = Grant("token-0")
    queue: deque[Reply] = field(default_factory=deque)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """(path, form) of each request."""
    url: str = ""
    _arrival: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    async def request(self, number: int) -> Mapping[str, str]:
        """The `number`th form, waited for."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.asked) >= number)
        return self.asked[number - 1][1]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((request.path, form))
        async with self._arrival:
            self._arrival.notify_all()
        reply = self.queue.popleft() if self.queue else self.always
        match reply:
            case Grant():
                if reply.first:
                    await reply.first.wait()
                document = {"token_type": "Bearer", "expires_in": reply.seconds}
                return web.json_response(document | {"access_token": reply.token})
            case Refuse():
                return web.json_response(reply.document(), status=reply.status)
            case Garbage():
                return web.Response(body=reply.body, status=reply.status)
