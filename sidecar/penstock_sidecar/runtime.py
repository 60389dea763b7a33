"""From configuration to live objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.layout import Group
from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_sidecar.aside import CheapModel, cheapest
from penstock_sidecar.attempts import FirstContentTimes, Hedging, Means, retry_ration
from penstock_sidecar.cache.exact import ExactCache
from penstock_sidecar.classify import Classify
from penstock_sidecar.clock import Clock
from penstock_sidecar.ensemble import Ensembles, GpuMemory
from penstock_sidecar.errors import Denied, SessionNotFound
from penstock_sidecar.feedback import Feedback
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.health.sharing import Known, Place
from penstock_sidecar.identity.caller import Identifier
from penstock_sidecar.limits.desk import LimitObserver
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.model import JsonObject, Pod, Recorder, Reply, Request
from penstock_sidecar.pictures import Pictures
from penstock_sidecar.pipeline import Pipeline
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.responses import Responses
from penstock_sidecar.routing.lessons import Lessons
from penstock_sidecar.routing.offers import Offer
from penstock_sidecar.routing.router import Router
from penstock_sidecar.routing.score_sharing import ScoreSharing
from penstock_sidecar.routing.scores import Kind
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.selector import matches
from penstock_sidecar.sessions import Sessions, Shelf, Summaries
from penstock_sidecar.upstream import Hold, Ways, build_upstreams
from penstock_sidecar.upstream.base import Upstream
from penstock_sidecar.upstream.watched import Watched


@dataclass(slots=True)
class Shared:
    """What outlives any configuration: made at start, closed at exit."""

    recorder: Recorder
    limit_observer: LimitObserver
    clock: Clock
    ways: Ways
    random: Random
    breakers: Breakers
    """Failures are remembered over changes of the configuration."""
    seen: Seen
    """So is what candidates were like."""
    memory: Memory
    """So is what Redis was told, and what it was not."""
    feedback: Feedback
    """And which calls people may judge."""
    first_content_times: FirstContentTimes = field(default_factory=FirstContentTimes)
    """And how long who took."""
    gpu: GpuMemory = field(default_factory=GpuMemory)
    """Local models that answer for an ensemble, too."""
    _stores: dict[RedisAccess, tuple[RedisStore, int]] = field(default_factory=dict)

    async def open_store(self, access: RedisAccess) -> RedisStore:
        """One connection per way to Redis, however many runtimes use it."""
        store, users = self._stores.get(access) or (await self._connect(access), 0)
        self._stores[access] = (store, users + 1)
        return store

    async def close_store(self, access: RedisAccess) -> None:
        store, users = self._stores[access]
        if users > 1:
            self._stores[access] = (store, users - 1)
        else:
            del self._stores[access]
            await store.close()

    async def _connect(self, access: RedisAccess) -> RedisStore:
        return await connect(access, on_connected=self.memory.connected)


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

    def feedback(self, call_id: str, kind: Kind, strength: float) -> None:
        """Raises `UnknownCall`."""
        self._shared.feedback.given(call_id, kind, strength)

    def health_place(self) -> Place | None:
        """Where the breakers of all that its policy reaches are shared; `None` without a Redis."""
        if self.store is None or self.pipeline is None:
            return None
        return Place(self.store, self.config.cluster, self._reached)

    async def settled(self) -> None:
        """Returns when Redis knows what its requests used, however long it is away."""
        if self.pipeline:
            if self.pipeline.sessions:
                await self.pipeline.sessions.close()
            await self.pipeline.limiter.settled()

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
        found = _Found(scope_key, store, upstreams)
        pipeline = _pipeline(config, policy, pod, found, shared) if policy else None
    except BaseException:
        await hold.close()
        if access:
            await shared.close_store(access)
        raise
    learning = _learning(config, pipeline, store, shared.seen)
    if pipeline:
        pipeline.limiter.start()
    if learning:
        learning.start()
    return Runtime(
        config=config,
        digest=digest,
        credentials_digest=credentials_digest,
        policy_id=policy.id if policy else None,
        pipeline=pipeline,
        store=store,
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
    )
    aside = CheapModel(
        candidates=cheapest(config, policy) if policy.memory else (),
        policy=policy,
        upstreams=found.upstreams,
        limiter=limiter,
        router=router,
        recorder=shared.recorder,
        clock=shared.clock,
    )
    return Pipeline(
        policy=policy,
        identifier=Identifier(policy.identity, pod),
        classify=Classify.for_policy(config, policy),
        router=router,
        cache=ExactCache(
            policy.cache,
            config.cluster,
            config.namespace,
            policy.id,
            found.scope_key,
            found.store,
            shared.clock,
        ),
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
        limiter=limiter,
        means=_means(
            config, _watched(found.upstreams, router, limiter, shared.seen), router, shared
        ),
        ensembles=Ensembles(
            config, policy, shared.gpu, shared.seen.scores if router.judged() else None
        ),
        recorder=shared.recorder,
        clock=shared.clock,
    )


def _watched(
    upstreams: Mapping[str, Upstream], router: Router, limiter: Limiter, seen: Seen
) -> Mapping[str, Upstream]:
    """The same ones where nothing goes by what attempts are like."""
    if not router.watches:
        return upstreams
    lessons = Lessons(seen, limiter.room, judges=bool(router.judged()))
    return {id_: Watched(upstream, lessons) for id_, upstream in upstreams.items()}


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
