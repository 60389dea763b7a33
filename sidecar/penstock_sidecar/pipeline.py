"""A request's way, top to bottom.

identify -> shrink pictures -> resume -> classify -> match rule -> flood gate -> compress -> cache
lookup -> join those who ask the same -> order candidates -> attempts -> store -> record

Everything taken is given back by `async with`, also when the caller leaves half-way. After the
first byte of content nothing is silently replaced: what fails then is said in-band by the edge.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from penstock_config.policy import Policy
from penstock_sidecar.attempts import Deadline, Means, Relay, Serving, State, deadline_of
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.flight import Flight, Flights
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.classify import Classify
from penstock_sidecar.clock import Clock
from penstock_sidecar.compression import Compressor
from penstock_sidecar.counting import Counting
from penstock_sidecar.ensemble import Ensemble, Ensembles
from penstock_sidecar.errors import NotCached, SidecarError
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.limits.attempt import Most
from penstock_sidecar.limits.flood import FloodGate
from penstock_sidecar.limits.limiter import Limiter, Ticket
from penstock_sidecar.model import Caller, Candidate, Recorder, Reply, Request
from penstock_sidecar.pictures import Pictures
from penstock_sidecar.progress import Progress
from penstock_sidecar.renewal import Renewals
from penstock_sidecar.responses import Responses, in_own_words
from penstock_sidecar.routing.replicas import missed
from penstock_sidecar.routing.router import Router, Selection
from penstock_sidecar.routing.routes import Route
from penstock_sidecar.sessions import Session, Sessions, without_history
from penstock_sidecar.warming.warming import Warming


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one policy, wired. Built once per configuration."""

    policy: Policy
    identifier: Identifier
    classify: Classify
    router: Router
    cache: AnswerCache
    flights: Flights
    renewals: Renewals
    warming: Warming | None
    flood: FloodGate
    responses: Responses
    sessions: Sessions | None
    pictures: Pictures | None
    compressor: Compressor | None
    limiter: Limiter
    means: Means
    ensembles: Ensembles
    fleets: Fleets | None
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

    def start(self) -> None:
        """Begins what goes on beside requests."""
        self.limiter.start()
        if self.warming:
            self.warming.start(self.serve)

    async def settled(self) -> None:
        """Ends what would ask for more; returns when Redis knows what all requests used."""
        if self.warming:
            await self.warming.close()
        await self.renewals.close()
        if self.sessions:
            await self.sessions.close()
        await self.limiter.settled()

    async def close(self) -> None:
        """Ends what goes on beside requests, then what they took."""
        if self.warming:
            await self.warming.close()
        await self.renewals.close()
        if self.sessions:
            await self.sessions.close()
        if self.pictures:
            self.pictures.close()
        if self.compressor:
            self.compressor.close()
        await self.flights.close()
        await self.cache.close()
        await self.limiter.close()

    async def _answer(self, request: Request, reply: Reply, progress: Progress) -> None:
        caller = self.identifier.identify(request)
        request, session = await self._resumed(request, caller, progress)
        reply = self._overheard(reply, request, caller, session)
        progress.classification = self.classify.classification(request)
        ticket = self.limiter.ticket(caller, request)
        route = self.router.route(request, caller, ticket.input_tokens, progress.classification)
        progress.routed(route.rule, route.target)
        self.flood.take()
        if session and (shorter := session.shortened(route.candidates)):
            request = progress.request = shorter
            ticket = self.limiter.ticket(caller, request)
        if self.compressor and (found := await self.compressor.compressed(request)):
            request, progress.compression = found.request, found.result
            progress.request = request
            ticket = self.limiter.ticket(caller, request)
        deadline = self._bounded(ticket, route, progress)
        question = self._question(route, caller, progress)
        if hit := await self._look_up(question, progress):
            await self._replay(hit, reply, progress, ticket)
            return self._renew(hit, question, session)
        if request.counts:
            return await self._count(route, ticket, reply, progress, deadline)
        relay = Relay(reply, progress, self._collect(question))
        await self._ask_once(question, route, ticket, relay, deadline)
        return None

    async def _ask_once(
        self,
        question: Question | None,
        route: Route,
        ticket: Ticket,
        relay: Relay,
        deadline: Deadline,
    ) -> None:
        """Or have the answer of another one who asks the same."""
        progress, now = relay.progress, asyncio.get_running_loop().time()
        patience = deadline.patience(now, stream=progress.request.stream)
        async with self.flights.joined(question, patience) as flight:
            progress.joined(flight)
            if flight.hit:
                return await self._replay(flight.hit, relay.reply, progress, ticket)
            flight.foreseen = relay.foreseen
            try:
                await self._ask(route, ticket, relay, deadline)
            finally:
                await self._keep(relay, flight)
        return None

    async def _ask(self, route: Route, ticket: Ticket, relay: Relay, deadline: Deadline) -> None:
        """Somebody upstream."""
        progress = relay.progress
        request = progress.request
        if self.fleets:
            await self.fleets.fresh(route.candidates)
        selection = self._selection(route, _lowered(request, ticket), ticket, progress)
        self._wake(route, selection)
        retry = route.overrides.retry or self.policy.retry
        state = State(self.means, ticket, progress, relay, deadline, retry)
        async with ticket:
            await self._served(route, state, selection.candidates)

    async def _count(
        self, route: Route, ticket: Ticket, reply: Reply, progress: Progress, deadline: Deadline
    ) -> None:
        """Only the tokens of the input."""
        selection = self._selection(route, _lowered(progress.request, ticket), ticket, progress)
        counting = Counting(self.means.upstreams, ticket, reply, progress, deadline)
        await counting.serve(selection.candidates)

    def _question(self, route: Route, caller: Caller, progress: Progress) -> Question | None:
        if route.overrides.cache_bypassed:
            return None
        kind = self.router.kind(route, progress.classification)
        question = self.cache.question(progress.request, caller, route.target, kind)
        # Asked again, a session would remember the turn twice.
        if question and self.warming and not progress.session:
            self.warming.asked(question, self.serve)
        return question

    async def _keep(self, relay: Relay, flight: Flight) -> None:
        """What the caller has had, or has paid for and left: others may have waited for it."""
        cost_micro_usd = relay.progress.cost_micro_usd
        if relay.collector and (relay.progress.answered or relay.reply.left):
            flight.kept = await self.cache.store(relay.collector, cost_micro_usd, flight.fence)

    def _collect(self, question: Question | None) -> Callable[[Candidate], Collector | None]:
        def collect(candidate: Candidate) -> Collector | None:
            return self.cache.collector(question, candidate) if question else None

        return collect

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

    def _wake(self, route: Route, selection: Selection) -> None:
        """Fleets that sleep, and would have been asked: the next request may find them awake."""
        if self.fleets:
            ordered, drops = selection.candidates, selection.drops
            for candidate in missed(route.candidates, ordered, drops, self.fleets):
                self.fleets.wish(candidate)

    async def _served(self, route: Route, state: State, candidates: Sequence[Candidate]) -> None:
        """By one model after the other, or by several beside each other."""
        request, complexity = state.progress.request, state.progress.classification.complexity
        if plan := self.ensembles.plan(route.target, request, complexity):
            await Ensemble(plan, state, self.ensembles).serve(candidates)
            return
        async with self.router.trial(candidates, request.api) as in_order:
            await Serving(state).serve(in_order)

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

    async def _look_up(self, question: Question | None, progress: Progress) -> Hit | None:
        control = progress.request.cache_control
        hit = None
        if question is None:
            progress.cache = "bypass" if self.cache.on else "off"
        elif control.no_cache:
            progress.cache = "refresh"
        else:
            hit = await self.cache.lookup(question)
            progress.cache, progress.shadow = "miss", question.shadow.hit
        if hit is None and control.only_if_cached:
            raise NotCached("only-if-cached was asked for, and no stored answer fits")
        return hit

    async def _replay(self, hit: Hit, reply: Reply, progress: Progress, ticket: Ticket) -> None:
        request = progress.request
        async with ticket:
            if self.policy.cache.count_hits_against_limits:
                await ticket.take_kept()
                progress.limit_headers = ticket.headers
            progress.found(hit)
            headers = {**progress.headers(), **progress.cost_headers()}
            await reply.start(hit.content_type(request), headers)
            for piece in hit.pieces(request):
                await reply.send(piece)
            await reply.end()

    def _renew(self, hit: Hit, question: Question | None, session: Session | None) -> None:
        """Asked again, a session would remember the turn twice."""
        if hit.due and question and session is None:
            self.renewals.add(question, self.serve)


def _lowered(request: Request, ticket: Ticket) -> Request:
    """With an answer no longer than its rule allows: more windows hold that."""
    most = ticket.most.output_tokens
    if most is None:
        return request
    return replace(request, max_output_tokens=min(most, request.max_output_tokens or most))
