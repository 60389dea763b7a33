"""A request's way, top to bottom.

identify -> resume -> match rule -> cache lookup -> order candidates -> attempts -> store -> record

Everything taken is given back by `async with`, also when the caller leaves half-way. After the
first byte of content nothing is silently replaced: what fails then is said in-band by the edge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from penstock_config.policy import Policy
from penstock_sidecar.attempts import Attempts
from penstock_sidecar.cache.exact import Collector, ExactCache, Hit
from penstock_sidecar.clock import Clock
from penstock_sidecar.counting import Counting
from penstock_sidecar.errors import NotCached, SidecarError
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.model import Candidate, Recorder, Reply, Request
from penstock_sidecar.progress import Progress
from penstock_sidecar.responses import Responses, in_own_words
from penstock_sidecar.routing.router import Router
from penstock_sidecar.upstream.base import Upstream


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one policy, wired. Built once per configuration."""

    policy: Policy
    identifier: Identifier
    router: Router
    cache: ExactCache
    responses: Responses
    limiter: Limiter
    upstreams: Mapping[str, Upstream]
    recorder: Recorder
    clock: Clock
    random: Random

    async def serve(self, request: Request, reply: Reply) -> None:
        """Answer `request`; a `SidecarError` carries the headers that the caller should see."""
        progress = Progress(request, self.policy.id, self.clock, self.clock.monotonic())
        error: BaseException | None = None
        try:
            await self._answer(request, reply, progress)
        except SidecarError as caught:
            in_own_words(caught, progress.request)
            caught.headers = {**progress.headers(), **progress.cost_headers(), **caught.headers}
            error = caught
            raise
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.recorder.request_ended(progress.outcome(error))

    async def _answer(self, request: Request, reply: Reply, progress: Progress) -> None:
        caller = self.identifier.identify(request)
        request = progress.request = await self.responses.resumed(request, caller)
        reply = self.responses.remembering(request, caller, reply)
        ticket = self.limiter.ticket(caller, request)
        route = self.router.route(request, caller, ticket.input_tokens, progress.classification)
        progress.rule = route.rule
        key = self.cache.key(request, caller, route.target)
        if hit := await self._look_up(key, progress):
            return await _replay(hit, reply, progress)
        selection = self.router.order(route, request, ticket.input_tokens, progress.classification)
        if request.counts:
            counting = Counting(self.upstreams, ticket, reply, progress)
            return await counting.serve(selection.candidates)

        def collect(candidate: Candidate) -> Collector | None:
            return self.cache.collector(key, request, candidate) if key else None

        attempts = Attempts(
            self.upstreams,
            self.router,
            self.policy.retry,
            self.random,
            ticket,
            reply,
            progress,
            collect,
        )
        try:
            async with ticket:
                await attempts.serve(selection.candidates)
        finally:
            if progress.answered and attempts.collector:
                await self.cache.store(attempts.collector, progress.cost_micro_usd)
        return None

    async def _look_up(self, key: str | None, progress: Progress) -> Hit | None:
        control = progress.request.cache_control
        hit = None
        if key is None:
            progress.cache = "bypass" if self.policy.cache.exact else "off"
        elif control.no_cache:
            progress.cache = "refresh"
        else:
            hit = await self.cache.lookup(key, progress.request)
            progress.cache = "hit-exact" if hit else "miss"
        if hit is None and control.only_if_cached:
            raise NotCached("only-if-cached was asked for, and no stored answer fits")
        return hit


async def _replay(hit: Hit, reply: Reply, progress: Progress) -> None:
    request = progress.request
    progress.served_by = (hit.provider, hit.model, hit.tier)
    progress.saved_micro_usd = hit.saved_micro_usd
    progress.cache_key, progress.cache_age_seconds = hit.key_id, hit.age_seconds
    content_type = "text/event-stream" if request.stream else "application/json"
    await reply.start(content_type, {**progress.headers(), **progress.cost_headers()})
    for chunk in hit.chunks(stream=request.stream, usage_wanted=request.usage_wanted):
        await reply.send(chunk.data)
    await reply.end()
