"""The stub's server: hears a request, performs what it was told to do, keeps the record."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Self

from aiohttp import web

from penstock_cli.stub import ollama, ollama_generate, openai, openai_completions, openai_responses
from penstock_cli.stub.answer import Asked
from penstock_cli.stub.behaviour import Behaviour, Ok, Status
from penstock_cli.stub.ollama_embeddings import OllamaEmbeddings
from penstock_cli.stub.openai_embeddings import OpenAiEmbeddings
from penstock_cli.stub.performance import Performance
from penstock_cli.stub.record import Bill, Seen
from penstock_cli.stub.script import Dialect, respond

MAX_BODY_BYTES = 64 * 1024 * 1024
UNKNOWN_MODEL = Status(404)
LOOPBACK = "127.0.0.1"
COMPLETION_TOKENS = 16
"""Of a legacy completion that names no bound."""


class StubProvider:
    """A provider, from `__aenter__` on: on 127.0.0.1 unless `host` says otherwise.

    A request takes the next behaviour queued for its model, else the next queued for any, else
    the model's own, else `default`. Where `models` are given, others are answered 404.
    """

    def __init__(
        self,
        models: Mapping[str, Behaviour] | None = None,
        *,
        default: Behaviour = Ok(),  # noqa: B008  # immutable
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        self.requests: list[Seen] = []
        self._models = dict(models or {})
        self._closed_list = bool(models)
        self._default = default
        self._queues: defaultdict[str | None, deque[Behaviour]] = defaultdict(deque)
        self._bills: defaultdict[str, Bill] = defaultdict(Bill)
        self._arrival = asyncio.Condition()
        self._host = host
        self._port = port
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Without a path: Ollama's base URL. OpenAI's is `f"{url}/v1"`. For this machine."""
        return f"http://{LOOPBACK}:{self._port}"

    def always(self, behaviour: Behaviour, *, model: str | None = None) -> None:
        """From now on, where nothing is queued."""
        if model is None:
            self._default = behaviour
        else:
            self._models[model] = behaviour

    def queue(self, *behaviours: Behaviour, model: str | None = None) -> None:
        """Each for one request, in this order."""
        self._queues[model].extend(behaviours)

    async def request(self, number: int = 1) -> Seen:
        """The `number`th request, waited for; 1 is the first since the start."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= number)
        return self.requests[number - 1]

    def bill(self, model: str | None = None) -> Bill:
        """What was used of `model`, or of all."""
        bills = self._bills.values() if model is None else [self._bills[model]]
        return sum(bills, Bill())

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        self._closing.clear()
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        self._routes(app.router)
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def refuse(self) -> None:
        """End all connections; new ones are refused until `accept`."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()

    def _routes(self, router: web.UrlDispatcher) -> None:
        """Other vendors' have their own."""
        router.add_post("/v1/chat/completions", self._openai_chat)
        router.add_post("/v1/completions", self._openai_completions)
        router.add_post("/v1/responses", self._openai_responses)
        router.add_post("/v1/embeddings", self._openai_embeddings)
        router.add_post("/api/chat", self._ollama_chat)
        router.add_post("/api/generate", self._ollama_generate)
        router.add_post("/api/embed", self._ollama_embed)
        router.add_post("/api/embeddings", self._ollama_embeddings)
        router.add_get("/v1/models", self._openai_models)
        router.add_get("/api/tags", self._ollama_tags)

    async def _openai_chat(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        options = _mapping(seen.body.get("stream_options"))
        limit = seen.body.get("max_completion_tokens", seen.body.get("max_tokens"))
        asked = Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.body.get("stream") is True,
            prompt_bytes=_bytes_of(seen.body.get("messages")),
            max_tokens=limit if isinstance(limit, int) else None,
            choices=_count(seen.body.get("n")),
            include_usage=options.get("include_usage") is True,
        )
        return await self._answer(request, seen, openai, asked)

    async def _openai_completions(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        prompt, limit = seen.body.get("prompt"), seen.body.get("max_tokens", COMPLETION_TOKENS)
        asked = Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.body.get("stream") is True,
            prompt_bytes=_bytes_of(prompt),
            max_tokens=limit if isinstance(limit, int) else None,
            choices=_count(seen.body.get("n")) * _prompts(prompt),
            include_usage=_mapping(seen.body.get("stream_options")).get("include_usage") is True,
        )
        return await self._answer(request, seen, openai_completions, asked)

    async def _openai_responses(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        limit = seen.body.get("max_output_tokens")
        asked = Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.body.get("stream") is True,
            prompt_bytes=_bytes_of(seen.body.get("input")),
            max_tokens=limit if isinstance(limit, int) else None,
        )
        return await self._answer(request, seen, openai_responses, asked)

    async def _ollama_chat(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        return await self._answer(request, seen, ollama, self._ollama(seen, "messages"))

    async def _ollama_generate(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        return await self._answer(request, seen, ollama_generate, self._ollama(seen, "prompt"))

    def _ollama(self, seen: Seen, prompt: str) -> Asked:
        limit = _mapping(seen.body.get("options")).get("num_predict")
        return Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=seen.body.get("stream") is not False,
            prompt_bytes=_bytes_of(seen.body.get(prompt)),
            max_tokens=limit if isinstance(limit, int) and limit >= 0 else None,
        )

    async def _openai_embeddings(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        return await self._embedded(request, seen, OpenAiEmbeddings.of(seen.body))

    async def _ollama_embed(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        return await self._embedded(request, seen, OllamaEmbeddings.of(seen.body))

    async def _ollama_embeddings(self, request: web.Request) -> web.StreamResponse:
        seen = await self._record(request)
        return await self._embedded(request, seen, OllamaEmbeddings.of_former(seen.body))

    async def _embedded(
        self, request: web.Request, seen: Seen, dialect: OpenAiEmbeddings | OllamaEmbeddings
    ) -> web.StreamResponse:
        """Nothing is generated."""
        asked = Asked(
            serial=len(self.requests),
            model=seen.model,
            stream=False,
            prompt_bytes=sum(len(text.encode()) for text in dialect.texts),
            max_tokens=0,
        )
        return await self._answer(request, seen, dialect, asked)

    async def _openai_models(self, _: web.Request) -> web.Response:
        return web.Response(body=openai.models(list(self._models)), content_type="application/json")

    async def _ollama_tags(self, _: web.Request) -> web.Response:
        return web.Response(body=ollama.tags(list(self._models)), content_type="application/json")

    async def _record(self, request: web.Request, model: str | None = None) -> Seen:
        """`model` is one that the path names; else the body does."""
        raw = await request.read()
        try:
            body = _mapping(json.loads(raw))
        except ValueError:
            body = {}
        seen = Seen(
            path=request.path,
            model=str(body.get("model", "")) if model is None else model,
            raw=raw,
            body=body,
            headers={name.lower(): value for name, value in request.headers.items()},
            query=dict(request.query),
            at=asyncio.get_running_loop().time(),
            peer=request.get_extra_info("peername", ("", 0)),
        )
        self.requests.append(seen)
        async with self._arrival:
            self._arrival.notify_all()
        return seen

    def _behaviour(self, model: str) -> Behaviour:
        for queue in (self._queues[model], self._queues[None]):
            if queue:
                return queue.popleft()
        if model in self._models:
            return self._models[model]
        return UNKNOWN_MODEL if self._closed_list else self._default

    async def _answer(
        self, request: web.Request, seen: Seen, dialect: Dialect, asked: Asked
    ) -> web.StreamResponse:
        response = respond(self._behaviour(seen.model), dialect, asked)
        performance = Performance(request, seen, response, self._closing)
        try:
            return await performance.run()
        except (asyncio.CancelledError, ConnectionResetError):
            if not self._closing.is_set():
                seen.disconnected.set()
            raise
        finally:
            self._bills[seen.model] += performance.bill()
            seen.ended.set()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _bytes_of(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _prompts(value: object) -> int:
    """A list of numbers is one prompt, in tokens."""
    if not isinstance(value, list) or all(isinstance(each, int) for each in value):
        return 1
    return len(value)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 1
