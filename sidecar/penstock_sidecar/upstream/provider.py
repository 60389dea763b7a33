"""One provider: asks in the caller's dialect where it speaks that, else in its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import orjson

from penstock_config.provider import Model, Provider
from penstock_sidecar.clock import Clock
from penstock_sidecar.dialects.dialect import Ask, Identity, Passage, Unspeakable
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.embeddings.features import refuse_texts
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.features import Lacks, features_of
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.quirks import quirks_of
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.errors import UpstreamRefused, UpstreamUnsupported
from penstock_sidecar.model import Answer, JsonObject, Request
from penstock_sidecar.upstream.answering import AnswerStream, Passed, Sink, Written, plain_chunk
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.chunks import Ready
from penstock_sidecar.upstream.hints import visible_headers
from penstock_sidecar.upstream.incoming import Incoming
from penstock_sidecar.upstream.plans import CALLERS, PASSAGES, Plan, Spoken
from penstock_sidecar.upstream.refusal import CONTEXT_TOO_LONG, FILTERED
from penstock_sidecar.upstream.time_left import time_left_headers
from penstock_sidecar.upstream.wire import Letter, Wire

JSON = "application/json"
FOR_EVER = -1
"""Ollama's `keep_alive`: https://docs.ollama.com/faq."""


class ProviderUpstream:
    """An `Upstream`."""

    def __init__(self, provider: Provider, plan: Plan, wire: Wire, clock: Clock) -> None:
        self._type = provider.type
        self._plan = plan
        self._wire = wire
        self._clock = clock
        self._quirks = quirks_of(provider.base_url, provider.preset, provider.type)
        self._keep_alive_seconds = _keep_alive_seconds(provider)

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        request, model, ask = call.request, call.candidate.model, self._ask(call)
        spoken = self._spoken(request, model)
        passage = self._passage(request, model)
        body = self._body(request, ask, spoken, passage)
        identity = self._identity(request)
        letter = Letter(
            path=spoken.path(ask),
            body=body,
            label=call.candidate.label,
            stream=request.stream,
            headers=self._headers(call, spoken),
            max_answer_bytes=spoken.max_answer_bytes,
            until=call.until,
            address=call.address,
        )
        try:
            async with self._wire.post(letter) as incoming:
                yield await self._answer(request, spoken, passage, incoming, identity)
        except UpstreamRefused as error:
            if error.code in {CONTEXT_TOO_LONG, FILTERED} and error.param == "messages":
                error.param = request.input_field
            raise

    def _headers(self, call: Call, spoken: Spoken) -> Mapping[str, str]:
        headers = spoken.headers(call.request)
        if not call.tells_time:
            return headers
        left_seconds = call.until - asyncio.get_running_loop().time()
        told = time_left_headers(self._type, left_seconds, stream=call.request.stream)
        return {**headers, **told}

    def _spoken(self, request: Request, model: Model) -> Spoken:
        """Raises `UpstreamUnsupported` for vectors of a provider that makes none."""
        if spoken := self._plan.spoken(request.api, model):
            return spoken
        raise UpstreamUnsupported(
            f"a provider of type {self._type} makes no embeddings: ask a model of another provider",
            code="unsupported_parameter",
            param="model",
        )

    def _ask(self, call: Call) -> Ask:
        model = call.candidate.model
        return Ask(
            model=model.upstream_name,
            stream=call.request.stream,
            max_output_tokens=call.max_output_tokens,
            reasons="reasoning" in model.capabilities,
            nudge=call.nudge,
            quirks=self._quirks,
            keep_alive_seconds=self._keep_alive_seconds,
        )

    def _passage(self, request: Request, model: Model) -> Passage | None:
        """None where the request is translated."""
        return PASSAGES[request.api] if self._plan.passing(request.api, model) else None

    def _body(self, request: Request, ask: Ask, spoken: Spoken, passage: Passage | None) -> bytes:
        """Raises `UpstreamUnsupported`, naming the caller's field."""
        if passage:
            return passage.body(request, ask)
        try:
            prompt = CALLERS[request.api].read(request.document)
            refuse(prompt, spoken.side.lacks)
            return orjson.dumps(spoken.side.write(prompt, ask))
        except Unspeakable as error:
            raise self._unsupported(error) from None

    async def _answer(
        self,
        request: Request,
        spoken: Spoken,
        passage: Passage | None,
        incoming: Incoming,
        identity: Identity,
    ) -> Answer:
        side, refusals = spoken.side, self._wire.refusals
        headers = visible_headers(incoming.headers, refusals.redact)
        if request.stream:
            incoming.require(side.framing.content_type)
            reader = side.stream_reader(request.choices)
            sink = self._sink(request, passage, identity)
            stream = AnswerStream(incoming, refusals, side.framing, reader, sink)
            passed = side.framing.content_type
            content_type = passed if passage else CALLERS[request.api].content_type
            return Answer(stream, content_type, headers)
        incoming.require(JSON)

        def write(body: bytes, events: Sequence[Event]) -> bytes:
            if passage:
                return body
            return orjson.dumps(CALLERS[request.api].write_plain(events, identity))

        parsed = passage.parse if passage else parse
        whole = await plain_chunk(
            incoming, refusals, lambda d: tuple(side.read_plain(d)), write, parsed
        )
        return Answer(Ready(whole), JSON, headers)

    def _sink(self, request: Request, passage: Passage | None, identity: Identity) -> Sink:
        if passage is None:
            return Written(CALLERS[request.api].stream_writer(identity))

        def hides(document: JsonObject) -> bool:
            return passage.hides(request, document)

        return Passed(hides, passage.end, passage.usual_text)

    def _identity(self, request: Request) -> Identity:
        created = int(self._clock.utc())
        asked: JsonObject = request.document
        if request.resumed is not None:
            asked = {**asked, "previous_response_id": request.resumed.id}
        return Identity(
            request.call_id,
            created,
            request.model,
            request.usage_wanted,
            asked,
            self._clock,
            self._clock.monotonic(),
        )

    def _unsupported(self, error: Unspeakable) -> UpstreamUnsupported:
        return UpstreamUnsupported(error.public(self._type), code=error.code, param=error.param)


def _keep_alive_seconds(provider: Provider) -> int | None:
    """`None` for what we do not run: its own settings hold."""
    if provider.managed is None:
        return None
    seconds = provider.managed.keep_alive_seconds
    return FOR_EVER if seconds is None else seconds


def refuse(asked: object, lacks: Lacks) -> None:
    match asked:
        case Prompt():
            for feature, where in features_of(asked):
                if feature in lacks.refused:
                    raise Unspeakable(where)
        case Texts():
            refuse_texts(asked, lacks)
        case _:
            return
