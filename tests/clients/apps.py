"""Applications that send a turn at a time, by the vendors' own clients."""

from dataclasses import dataclass
from typing import Any, Final

import httpx
import ollama
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from penstock_cli.stub import StubProvider
from tests.clients.house import House

SESSION: Final = "x-penstock-session"
FIRST, ANSWER, SECOND = "I am Ada.", "Good day, Ada.", "Who am I?"
SAID: Final = [("user", FIRST), ("assistant", ANSWER), ("user", SECOND)]
PATHS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "openai": ("/v1/chat/completions", {"model": "gpt"}),
    "anthropic": ("/v1/messages", {"model": "claude", "max_tokens": 64}),
    "ollama": ("/api/chat", {"model": "llama"}),
}


@dataclass
class Apps:
    """The clients of one application, and what its providers were told."""

    house: House
    openai: AsyncOpenAI
    anthropic: AsyncAnthropic

    def stub(self, api: str) -> StubProvider:
        stubs = {"openai": self.house.openai, "anthropic": self.house.anthropic}
        return stubs.get(api, self.house.ollama)

    def told(self, api: str) -> list[tuple[str, str]]:
        """The messages of the provider's last request, whose content must be text."""
        messages: Any = self.stub(api).requests[-1].body["messages"]
        return [(each["role"], _text(each["content"])) for each in messages]

    async def say(
        self,
        api: str,
        text: str,
        session: str | None = "s",
        *,
        stream: bool = False,
        user: str = "",
        **more: Any,
    ) -> str:
        headers = {SESSION: session} if session else {}
        headers |= {"x-penstock-user": user} if user else {}
        messages = [*more.pop("before", ()), {"role": "user", "content": text}]
        if api == "openai":
            return await self._openai(messages, headers, stream, more)
        if api == "anthropic":
            return await self._anthropic(messages, headers, stream, more)
        return await self._ollama(messages, headers, stream, more)

    async def _openai(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        create = self.openai.chat.completions.create
        answer: Any = await create(
            model="gpt", messages=messages, stream=stream, extra_headers=headers, **more
        )
        if not stream:
            return str(answer.choices[0].message.content)
        pieces = [c.choices[0].delta.content or "" async for c in answer if c.choices]
        return "".join(pieces)

    async def _anthropic(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        asked = {"model": "claude", "max_tokens": 64, "messages": messages, **more}
        if stream:
            async with self.anthropic.messages.stream(**asked, extra_headers=headers) as events:
                return await events.get_final_text()
        answer = await self.anthropic.messages.create(**asked, extra_headers=headers)
        return "".join(block.text for block in answer.content if block.type == "text")

    async def _ollama(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        """Its client sends no headers of a single call's: one is made for each."""
        async with ollama.AsyncClient(host=self.house.url, headers=headers) as client:
            chat: Any = client.chat
            answer = await chat("llama", messages=messages, stream=stream, **more)
            if not stream:
                return str(answer.message.content)
            return "".join([piece.message.content or "" async for piece in answer])

    async def leave(self, api: str, text: str) -> None:
        """Goes after the first piece of a stream, and returns when the provider knows."""
        path, more = PATHS[api]
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **more}
        headers = {SESSION: "s"}
        async with (
            httpx.AsyncClient(base_url=self.house.url) as client,
            client.stream("POST", path, json=body, headers=headers) as answer,
        ):
            await anext(answer.aiter_raw())
        await self.stub(api).requests[-1].disconnected.wait()

    async def post(self, text: str, **headers: str) -> httpx.Response:
        body = {"model": "gpt", "messages": [{"role": "user", "content": text}]}
        async with httpx.AsyncClient(base_url=self.house.url) as client:
            return await client.post("/v1/chat/completions", json=body, headers=headers)

    async def erase(self, session: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.house.url) as client:
            return await client.delete(f"/v1/sessions/{session}", headers=headers)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
