"""A request's way, top to bottom.

identify -> shrink pictures -> resume -> classify -> match rule -> cache lookup -> order candidates
-> attempts -> store -> record

Everything taken is given back by `async with`, also when the caller leaves half-way. After the
first byte of content nothing is silently replaced: what fails then is said in-band by the edge.
"""

import asyncio
from dataclasses import dataclass, replace

from penstock_config.policy import Policy
from penstock_sidecar.attempts import Deadline, Means, Relay, Serving, State, deadline_of
from penstock_sidecar.cache.exact import Collector, ExactCache, Hit
from penstock_sidecar.classify import Classify
from penstock_sidecar.clock import Clock
from penstock_sidecar.counting import Counting
from penstock_sidecar.ensemble import Ensemble, Ensembles
from penstock_sidecar.errors import NotCached, SidecarError
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.limits.attempt import Most
from penstock_sidecar.limits.limiter import Limiter, Ticket
from penstock_sidecar.model import Caller, Candidate, Recorder, Reply, Request
from penstock_sidecar.pictures import Pictures
from penstock_sidecar.progress import Progress
from penstock_sidecar.responses import Responses, in_own_words
from penstock_sidecar.routing.router import Route, Router, Selection
from penstock_sidecar.sessions import Session, Sessions, without_history


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one policy, wired. Built once per configuration."""

    policy: Policy
    identifier: Identifier
    classify: Classify
    router: Router
    cache: ExactCache
    responses: Responses
    sessions: Sessions | None
    pictures: Pictures | None
    limiter: Limiter
    means: Means
    ensembles: Ensembles
    recorder: Recorder
    clock: Clock

    async def serve(self, request: Request, reply: Reply) -> None:
        """Answer `request`; a `SidecarError` carries the headers that the caller should see."""
        progress = Progress(request, self.policy.id, self.clock, self.clock.monotonic())
        error: BaseException | None = None
        try:
            await self._answer(request, reply, progress)
        except SidecarError as caught:
            in_own_words(caught, progress.request)
            without_history(caught, progress.request)
            caught.headers = {**progress.headers(), **progress.cost_headers(), **caught.headers}
            error = caught
            raise
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.recorder.request_ended(progress.outcome(error))

    async def close(self) -> None:
        """Ends what goes on beside requests, then what they took."""
        if self.sessions:
            await self.sessions.close()
        if self.pictures:
            self.pictures.close()
        await self.limiter.close()

    async def _answer(self, request: Request, reply: Reply, progress: Progress) -> None:
        caller = self.identifier.identify(request)
        request, session = await self._resumed(request, caller, progress)
        reply = self._overheard(reply, request, caller, session)
        progress.classification = self.classify.classification(request)
        ticket = self.limiter.ticket(caller, request)
        route = self.router.route(request, caller, ticket.input_tokens, progress.classification)
        progress.routed(route.rule, route.target)
        if session and (shorter := session.shortened(route.candidates)):
            request = progress.request = shorter
            ticket = self.limiter.ticket(caller, request)
        deadline = self._bounded(ticket, route, progress)
        cached = not route.overrides.cache_bypassed
        kind = self.router.kind(route, progress.classification)
        key = self.cache.key(request, caller, route.target, kind) if cached else None
        if hit := await self._look_up(key, progress):
            return await _replay(hit, reply, progress)
        selection = self._selection(route, _lowered(request, ticket), ticket, progress)
        if request.counts:
            counting = Counting(self.means.upstreams, ticket, reply, progress, deadline)
            return await counting.serve(selection.candidates)

        def collect(candidate: Candidate) -> Collector | None:
            return self.cache.collector(key, request, candidate) if key else None

        relay = Relay(reply, progress, collect)
        retry = route.overrides.retry or self.policy.retry
        state = State(self.means, ticket, progress, relay, deadline, retry)
        serving = self._serving(route, state)
        try:
            async with ticket, self.router.trial(selection.candidates, request.api) as candidates:
                await serving.serve(candidates)
        finally:
            if progress.answered and relay.collector:
                await self.cache.store(relay.collector, progress.cost_micro_usd)
        return None

    def _selection(
        self, route: Route, request: Request, ticket: Ticket, progress: Progress
    ) -> Selection:
        tokens = ticket.input_tokens
        selection = self.router.order(route, request, tokens, progress.classification)
        progress.drops = selection.drops
        if progress.debug:
            progress.debug.drops = selection.drops
            progress.debug.verdicts = self.router.verdicts(selection)
        return selection

    def _serving(self, route: Route, state: State) -> Serving | Ensemble:
        """One model after the other, or several beside each other."""
        progress = state.progress
        complexity = progress.classification.complexity
        plan = self.ensembles.plan(route.target, progress.request, complexity)
        return Ensemble(plan, state, self.ensembles) if plan else Serving(state)

    def _bounded(self, ticket: Ticket, route: Route, progress: Progress) -> Deadline:
        """Counted from when the request came; all attempts of `ticket` end by it."""
        request, complexity = progress.request, progress.classification.complexity
        tier = self.router.tier(route.tier_id or route.candidates[0].tier_id)
        passed = self.clock.monotonic() - progress.started
        came = asyncio.get_running_loop().time() - passed
        deadline = deadline_of(request, (route.rule, route.overrides), tier, complexity, came)
        ticket.most = Most(deadline.at, route.overrides.max_output_tokens)
        return deadline

    async def _resumed(
        self, request: Request, caller: Caller, progress: Progress
    ) -> tuple[Request, Session | None]:
        """With smaller pictures, and with what was said before."""
        if self.pictures:
            request = progress.request = await self.pictures.reduced(request)
        request = progress.request = await self.responses.resumed(request, caller)
        session = await self.sessions.opened(request, caller) if self.sessions else None
        if session:
            progress.session = session.state
            request = progress.request = session.request
        return request, session

    def _overheard(
        self, reply: Reply, request: Request, caller: Caller, session: Session | None
    ) -> Reply:
        """By what remembers answers."""
        reply = self.responses.remembering(request, caller, reply)
        return session.remembering(reply) if session else reply

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


def _lowered(request: Request, ticket: Ticket) -> Request:
    """With an answer no longer than its rule allows: more windows hold that."""
    most = ticket.most.output_tokens
    if most is None:
        return request
    return replace(request, max_output_tokens=min(most, request.max_output_tokens or most))
