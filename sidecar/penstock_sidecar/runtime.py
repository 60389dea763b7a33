"""From configuration to live objects."""

from collections.abc import Mapping
from dataclasses import dataclass

from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.layout import Group
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_sidecar.aside import CheapModel, cheapest
from penstock_sidecar.attempts import Hedging, Means, retry_ration
from penstock_sidecar.cache.build import Outside, answer_cache
from penstock_sidecar.cache.flight import Flights
from penstock_sidecar.cache.removal import Which
from penstock_sidecar.cache.semantic.build import Neighbours
from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable, TextTooLong
from penstock_sidecar.classify import Classify
from penstock_sidecar.compression import Compressor
from penstock_sidecar.embedding import open_embedder
from penstock_sidecar.ensemble import Ensembles
from penstock_sidecar.errors import CacheUnavailable, Denied, MalformedRequest, SessionNotFound
from penstock_sidecar.explaining import Explainer, document_of
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.fleet import Place as FleetPlace
from penstock_sidecar.health.sharing import Known, Place
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.model import JsonObject, Pod, Reply, Request
from penstock_sidecar.pictures import Pictures
from penstock_sidecar.pipeline import Pipeline
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.renewal import Renewals
from penstock_sidecar.responses import Responses
from penstock_sidecar.routing.lessons import Lessons
from penstock_sidecar.routing.offers import Offer
from penstock_sidecar.routing.router import Router
from penstock_sidecar.routing.score_sharing import ScoreSharing
from penstock_sidecar.routing.scores import Kind
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.selector import matches
from penstock_sidecar.sessions import Sessions, Shelf, Summaries
from penstock_sidecar.shared import Shared
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.upstream import Hold, build_upstreams
from penstock_sidecar.upstream.base import Upstream
from penstock_sidecar.upstream.managed import ManagedUpstream
from penstock_sidecar.upstream.watched import Watched
from penstock_sidecar.warming.build import Warmers, cache_warming


@dataclass(frozen=True, slots=True)
class Runtime:
    """Live objects of one configuration."""

    config: SidecarConfig
    digest: str
    credentials_digest: str
    policy_id: str | None
    pipeline: Pipeline | None
    """None where no policy selects this pod."""
    store: RedisStore | None
    _pod: Pod
    _learning: ScoreSharing | None
    _reached: Mapping[str, Known]
    """Providers, with what their breakers go by."""
    _access: RedisAccess | None
    _hold: Hold
    _shared: Shared

    async def serve(self, request: Request, reply: Reply) -> None:
        await self._ruled().serve(request, reply)

    def models(self) -> tuple[tuple[str, str], ...]:
        """(id, owner) of all that may be asked for: tiers, models, `auto`."""
        return self._ruled().router.models()

    def offers(self) -> tuple[Offer, ...]:
        """What can be had by each of these names."""
        return self._ruled().router.offers()

    async def kept_response(self, request: Request, response_id: str) -> JsonObject:
        """For the caller whom the request names."""
        pipeline = self._ruled()
        return await pipeline.responses.found(response_id, pipeline.identifier.identify(request))

    async def forget_response(self, request: Request, response_id: str) -> None:
        pipeline = self._ruled()
        await pipeline.responses.forget(response_id, pipeline.identifier.identify(request))

    async def forget_session(self, request: Request, name: str) -> None:
        """Raises `SessionNotFound`, where no memory is kept too, and `SessionsUnavailable`."""
        pipeline = self._ruled()
        caller = pipeline.identifier.identify(request)
        if pipeline.sessions is None:
            raise SessionNotFound("this policy keeps no sessions: its `memory` is not set")
        await pipeline.sessions.forget(name, caller)

    async def remove_answers(self, request: Request, which: Which) -> int:
        """Of the caller's own scope; says how many. Raises `CacheUnavailable` and
        `MalformedRequest`."""
        pipeline = self._ruled()
        caller = pipeline.identifier.identify(request)
        try:
            return await pipeline.cache.remove(caller, which)
        except StoreUnavailable:
            text = "Redis does not answer: nothing is known to be removed"
            raise CacheUnavailable(text, retry_after_seconds=1) from None
        except EmbedderUnavailable:
            text = "nothing can be found by its meaning at the moment"
            raise CacheUnavailable(text, retry_after_seconds=1) from None
        except TextTooLong:
            text = "`similar` is too long to be compared"
            raise MalformedRequest(text, param="similar") from None

    async def explained(self, request: Request) -> JsonObject:
        """Which way it would take, by what is known now."""
        pipeline = self._ruled()
        explainer = Explainer(self.config, pipeline.policy, self._pod, pipeline.router)
        found = explainer.routed(request)
        if pipeline.fleets and found.route:
            await pipeline.fleets.fresh(found.route.candidates)
        return document_of(explainer.chosen(found, request))

    def feedback(self, call_id: str, kind: Kind, strength: float) -> None:
        """Raises `UnknownCall`."""
        self._shared.feedback.given(call_id, kind, strength)

    def health_place(self) -> Place | None:
        """Where the breakers of all that its policy reaches are shared; `None` without a Redis."""
        if self.store is None or self.pipeline is None:
            return None
        return Place(self.store, self.config.cluster, self._reached)

    def fleet_place(self) -> FleetPlace:
        """Where the replicas of managed providers are told of."""
        managed = frozenset(p.id for p in self.config.providers if p.managed)
        reached = managed & self._reached.keys()
        return FleetPlace(self.store, self.config.cluster, self.config.namespace, reached)

    async def settled(self) -> None:
        """Returns when Redis knows what its requests used, however long it is away."""
        if self.pipeline:
            await self.pipeline.settled()

    async def close(self) -> None:
        """Flushes settlements as far as Redis answers, then lets go of it."""
        if self._learning:
            await self._learning.close()
        if self.pipeline:
            await self.pipeline.close()
        await self._hold.close()
        if self._access:
            await self._shared.close_store(self._access)

    def _ruled(self) -> Pipeline:
        if self.pipeline is None:
            raise Denied(
                f"no RoutePolicy of namespace {self.config.namespace} selects this pod:"
                " create one, or widen a selector"
            )
        return self.pipeline


def ruling_policy(config: SidecarConfig, pod: Pod) -> Policy | None:
    """The first that selects the pod: policies come in order of precedence."""
    return next((p for p in config.policies if matches(p.selector, pod.labels)), None)


@dataclass(frozen=True, slots=True, repr=False)
class _Found:
    """What the credentials lead to."""

    scope_key: bytes
    store: RedisStore | None
    upstreams: Mapping[str, Upstream]
    neighbours: Neighbours | None


async def build_runtime(
    config: SidecarConfig,
    digest: str,
    credentials: Credentials,
    credentials_digest: str,
    pod: Pod,
    shared: Shared,
) -> Runtime:
    """Everything that can be prepared is, here and not per request."""
    access = credentials.redis
    store = await shared.open_store(access) if access else None
    policy = ruling_policy(config, pod)
    hold = shared.ways.hold()
    try:
        upstreams = build_upstreams(config, credentials, hold) if policy else {}
        scope_key = credentials.scope_key.get_secret_value().encode()
        neighbours = _neighbours(config, policy, credentials, hold, shared)
        found = _Found(scope_key, store, upstreams, neighbours)
        pipeline = _pipeline(config, policy, pod, found, shared) if policy else None
    except BaseException:
        await hold.close()
        if access:
            await shared.close_store(access)
        raise
    learning = _learning(config, pipeline, store, shared.seen)
    if pipeline:
        pipeline.start()
    if learning:
        learning.start()
    return Runtime(
        config=config,
        digest=digest,
        credentials_digest=credentials_digest,
        policy_id=policy.id if policy else None,
        pipeline=pipeline,
        store=store,
        _pod=pod,
        _learning=learning,
        _reached=_reached(config, policy) if policy else {},
        _access=access,
        _hold=hold,
        _shared=shared,
    )


def _reached(config: SidecarConfig, policy: Policy) -> Mapping[str, Known]:
    wanted = {*policy.tiers, *policy.downgrade_tiers}
    tiers = [tier for tier in config.tiers if tier.id in wanted]
    ids = {candidate.provider for tier in tiers for candidate in tier.candidates}
    ids |= {t.ensemble.judge.provider for t in tiers if t.ensemble and t.ensemble.judge}
    return {p.id: Known.of(p) for p in config.providers if p.id in ids}


def _pipeline(
    config: SidecarConfig,
    policy: Policy,
    pod: Pod,
    found: _Found,
    shared: Shared,
) -> Pipeline:
    fleets = shared.fleets if any(p.managed for p in config.providers) else None
    limiter = Limiter(
        config,
        policy,
        pod,
        found.store,
        found.scope_key,
        shared.memory,
        observer=shared.limit_observer,
    )
    router = Router(
        config,
        policy,
        shared.random,
        shared.clock,
        shared.breakers,
        seen=shared.seen,
        room=limiter.room,
        fleets=fleets,
    )
    aside = CheapModel(
        candidates=cheapest(config, policy) if policy.memory else (),
        policy=policy,
        upstreams=_managed(config, found.upstreams, fleets),
        limiter=limiter,
        router=router,
        recorder=shared.recorder,
        clock=shared.clock,
    )
    watched = _watched(found.upstreams, router, limiter, shared.seen)
    place = config.cluster, config.namespace
    outside = Outside(found.store, shared.answers, shared.clock, found.neighbours)
    cache = answer_cache(policy, place, found.scope_key, outside)
    flights = Flights(cache.lookup, found.store)
    renewals = Renewals(flights, shared.clock)
    warmers = Warmers(cache, renewals, found.store, pod.name, shared.clock, shared.random)
    return Pipeline(
        policy=policy,
        identifier=Identifier(policy.identity, pod),
        classify=Classify.for_policy(config, policy),
        router=router,
        cache=cache,
        flights=flights,
        renewals=renewals,
        warming=cache_warming(policy, place, warmers),
        flood=shared.flood,
        responses=Responses(
            policy.cache.scope,
            config.cluster,
            config.namespace,
            policy.id,
            found.scope_key,
            found.store,
        ),
        sessions=_sessions(config, policy, found, aside),
        pictures=Pictures(policy.images) if policy.images else None,
        compressor=Compressor(policy.compression) if policy.compression else None,
        limiter=limiter,
        means=_means(config, _managed(config, watched, fleets), router, shared),
        ensembles=Ensembles(
            config, policy, shared.gpu, shared.seen.scores if router.judged() else None
        ),
        fleets=fleets,
        recorder=shared.recorder,
        clock=shared.clock,
    )


def _neighbours(
    config: SidecarConfig,
    policy: Policy | None,
    credentials: Credentials,
    hold: Hold,
    shared: Shared,
) -> Neighbours | None:
    """None where nothing is looked for by its meaning."""
    if policy is None or policy.cache.semantic is None:
        return None
    deadline_seconds = shared.embedder_deadline_seconds
    embedder = open_embedder(credentials, config.namespace, hold, shared.clock, deadline_seconds)
    if embedder is None:
        return None
    return Neighbours(embedder, shared.semantic_observer, shared.random)


def _watched(
    upstreams: Mapping[str, Upstream], router: Router, limiter: Limiter, seen: Seen
) -> Mapping[str, Upstream]:
    """The same ones where nothing goes by what attempts are like."""
    if not router.watches:
        return upstreams
    lessons = Lessons(seen, limiter.room, judges=bool(router.judged()))
    return {id_: Watched(upstream, lessons) for id_, upstream in upstreams.items()}


def _managed(
    config: SidecarConfig, upstreams: Mapping[str, Upstream], fleets: Fleets | None
) -> Mapping[str, Upstream]:
    """Outside of what watches: to wait for a replica says nothing of the model."""
    if fleets is None:
        return upstreams
    by_replicas = {
        p.id: ManagedUpstream(upstreams[p.id], p, p.managed, fleets)
        for p in config.providers
        if p.managed
    }
    return {**upstreams, **by_replicas}


def _learning(
    config: SidecarConfig, pipeline: Pipeline | None, store: RedisStore | None, seen: Seen
) -> ScoreSharing | None:
    """None where nothing goes by scores, or nobody shares them."""
    labels = pipeline.router.judged() if pipeline else ()
    if not labels or store is None:
        return None
    group = Group.of_namespace(config.cluster, config.namespace)
    return ScoreSharing(seen.scores, store, group, labels)


def _means(
    config: SidecarConfig, upstreams: Mapping[str, Upstream], router: Router, shared: Shared
) -> Means:
    hedging = Hedging(config.tiers, shared.first_content_times, shared.clock)
    retries = retry_ration(shared.clock)
    return Means(upstreams, router, hedging, retries, shared.random)


def _sessions(
    config: SidecarConfig, policy: Policy, found: _Found, aside: CheapModel
) -> Sessions | None:
    if policy.memory is None:
        return None
    place = (config.cluster, config.namespace, policy.id)
    if found.store is None:
        return Sessions(policy.memory, None, None)
    limits = tuple(limit.limits for limit in policy.limits if not limit.shadow)
    shelf = Shelf(policy.memory, policy.cache.scope, place, found.scope_key, found.store)
    return Sessions(policy.memory, shelf, Summaries(shelf, aside), limits)
