"""A provider that keeps its own meter: what it billed, how much came when, how much at once."""

import asyncio
import json
import random
from typing import Final, Self

from aiohttp import web

from penstock_config.provider import Price

PRICE: Final = Price(input_token=1_000_000, output_token=2_000_000)
"""One micro-dollar a token in, two out: nothing to round."""
BYTES_PER_TOKEN: Final = 4


class Meter:
    """Speaks OpenAI's plain chat, on 127.0.0.1. An answer is of a random length up to its
    `max_tokens`; it is billed when it is given."""

    def __init__(self, answer_seconds: float = 0.01) -> None:
        self.answer_seconds = answer_seconds
        self.gate = asyncio.Event()
        """Answers wait for it; open at first."""
        self.gate.set()
        self.arrivals: list[float] = []
        """By the loop's clock, in seconds."""
        self.billed = 0
        """Micro-dollars."""
        self.in_flight = 0
        self.most_in_flight = 0
        self._random = random.Random(7)
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.arrivals.append(asyncio.get_running_loop().time())
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(self.answer_seconds)
            await self.gate.wait()
            return self._answer(raw)
        finally:
            self.in_flight -= 1

    def _answer(self, raw: bytes) -> web.Response:
        asked = json.loads(raw)
        tokens_in = max(1, len(raw) // BYTES_PER_TOKEN)
        tokens_out = self._random.randint(1, asked["max_tokens"])
        self.billed += tokens_in + 2 * tokens_out
        usage = {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        }
        message = {"role": "assistant", "content": "words"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response(
            {
                "id": f"chatcmpl-{len(self.arrivals)}",
                "object": "chat.completion",
                "created": 1_763_640_000,
                "model": asked["model"],
                "choices": [choice],
                "usage": usage,
            }
        )
