"""The process: wires everything, starts it, and ends it without losing a request."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from random import Random
from typing import Final
from uuid import uuid4

from penstock_config.heartbeat import Heartbeat
from penstock_config.layout import Group
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.ensemble import GpuMemory
from penstock_sidecar.feedback import Calls, Feedback
from penstock_sidecar.fleet import Fleets, News
from penstock_sidecar.fleet import Place as FleetPlace
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.health.sharing import Place, Sharing
from penstock_sidecar.heartbeat import Heart, Word
from penstock_sidecar.holder import RuntimeHolder
from penstock_sidecar.http import models, ollama
from penstock_sidecar.http.admin import Admin
from penstock_sidecar.http.asking import Asking, Bounds
from penstock_sidecar.http.cache import KeptAnswers
from penstock_sidecar.http.dispatch import Dispatcher, Routes
from penstock_sidecar.http.explaining import Explaining
from penstock_sidecar.http.feedback import FeedbackTaken
from penstock_sidecar.http.guard import no_pages, no_unasked_pages, only_loopback_names
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.probes import Probes
from penstock_sidecar.http.responses import KeptResponses
from penstock_sidecar.http.server import LOOPBACK, Port
from penstock_sidecar.http.sessions import KeptSessions
from penstock_sidecar.limits.flood import FloodGate
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.model import JsonObject, Pod
from penstock_sidecar.normalise.paths import OLLAMAS, PARSES, Parse
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.runtime import build_runtime
from penstock_sidecar.settings import Settings
from penstock_sidecar.shared import Shared
from penstock_sidecar.telemetry.metrics import Metrics
from penstock_sidecar.telemetry.recorder import Recorders
from penstock_sidecar.telemetry.request_log import RequestLog
from penstock_sidecar.upstream import Directory, Ways
from penstock_sidecar.watcher import Loaded, ReloadListener, Watcher

logger = logging.getLogger(__name__)

JOURNAL_NAME: Final = "settlements"
VERSION: Final = version("penstock")
SIGNALLED: Final = 128
"""A shell's exit status for a process that a signal ended, plus the signal's number."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a sidecar listens, in numbers."""

    application: int
    probe: int
    admin: int


@dataclass(frozen=True, slots=True)
class Listeners:
    """Each of them hears of every reload."""

    each: tuple[ReloadListener, ...]

    def configuration_loaded(self, config_digest: str, credentials_digest: str) -> None:
        for listener in self.each:
            listener.configuration_loaded(config_digest, credentials_digest)

    def configuration_rejected(self) -> None:
        for listener in self.each:
            listener.configuration_rejected()


class Sidecar:
    """One sidecar in the running loop. Started once, then drained and closed."""

    def __init__(self, settings: Settings) -> None:
        self.end_asked = asyncio.Event()
        self._settings = settings
        self._load = Load(settings.max_in_flight)
        self._metrics = Metrics(VERSION)
        self._holder = RuntimeHolder()
        self._heart = Heart(self._word)
        listeners = Listeners((self._metrics, self._heart))
        self._watcher = Watcher(settings, self._put_to_work, listeners)
        self._exits = AsyncExitStack()
        self._application = self._api()
        self._shared: Shared

    async def start(self) -> Ports:
        """Reads the files once, then listens. Raises `StartError` for a port that is taken."""
        try:
            return await self._start()
        except BaseException:
            await self.close()
            raise

    async def reload(self) -> None:
        """Look at the files now; otherwise it happens once a second."""
        await self._watcher.check()

    async def drain(self) -> None:
        """Not ready, no new connections; returns when nothing is in flight or time is over."""
        self._load.draining = self._load.closing = True
        await self._application.stop_listening()
        if not self._load.gave_up:  # else their time was over before the signal came
            await self._load.drain(self._settings.drain_seconds)
        logger.info("sidecar.drained", extra={"left": self._load.in_flight})

    async def close(self) -> None:
        """Cancels what is left, settles it, and lets go of everything."""
        await self._exits.aclose()

    async def _start(self) -> Ports:
        clock, calls = SystemClock(), Calls()
        seen = Seen.nothing(clock)
        random = Random()  # noqa: S311  # spreads load; guards nothing
        deadline_seconds = self._settings.redis_deadline_seconds
        fleets = Fleets(clock, random, self._metrics, first_look_seconds=deadline_seconds)
        self._shared = Shared(
            recorder=Recorders((self._metrics, RequestLog(clock), calls)),
            limit_observer=self._metrics,
            semantic_observer=self._metrics,
            embedder_deadline_seconds=self._settings.embedder_deadline_seconds,
            clock=clock,
            ways=Ways(self._directory(), clock),
            random=random,
            breakers=Breakers(clock, uuid4().hex, self._metrics),
            seen=seen,
            memory=Memory(clock, Shares(clock), self._journal(clock)),
            answers=AnswerMemory(clock),
            flood=FloodGate(self._settings.max_requests_per_second, clock),
            feedback=Feedback(calls, seen.scores, self._metrics),
            fleets=fleets,
            gpu=GpuMemory(fleets.loaded),
            redis_deadline_seconds=deadline_seconds,
        )
        self._exits.push_async_callback(self._holder.close)
        self._exits.push_async_callback(self._load.stragglers.close)
        self._metrics.watch_in_flight(lambda: self._load.in_flight)
        self._metrics.watch_redis(self._redis_available)
        self._metrics.watch_quality(self._shared.seen.scores.weights)
        await self._watcher.check()
        settings = self._settings
        application = await self._listen(self._application, LOOPBACK, settings.port)
        admin = await self._listen(self._admin(), LOOPBACK, settings.admin_port)
        # Last: a kubelet that sees it ready starts applications, and they call at once.
        probe = await self._listen(self._probes(), (settings.probe_host,), settings.probe_port)
        ports = Ports(application, probe, admin)
        sharing = Sharing(self._shared.breakers, self._health_place)
        news = News(fleets, self._shared.breakers.me, self._fleet_place, random)
        self._exits.push_async_callback(news.farewell)
        for work in (self._watcher.run(), self._heart.run(), sharing.run(), news.run()):
            self._exits.push_async_callback(_cancel, asyncio.create_task(work))
        logger.info("sidecar.started", extra={"version": VERSION, **asdict(ports)})
        return ports

    def _directory(self) -> Directory:
        settings = self._settings
        return Directory(settings.azure_authority_host, settings.azure_federated_token_file)

    def _journal(self, clock: Clock) -> Journal:
        directory = self._settings.journal_dir
        journal = Journal.open(directory / JOURNAL_NAME if directory else None, clock)
        self._exits.callback(journal.close)
        return journal

    async def _listen(self, port: Port, hosts: tuple[str, ...], number: int) -> int:
        self._exits.push_async_callback(port.close)
        return await port.start(hosts, number)

    async def _put_to_work(self, loaded: Loaded) -> None:
        settings = self._settings
        pod = Pod(
            namespace=settings.namespace,
            name=settings.pod_name,
            app=settings.app or settings.pod_name,
            labels=loaded.labels,
        )
        runtime = await build_runtime(
            loaded.config,
            loaded.config_digest,
            loaded.credentials,
            loaded.credentials_digest,
            pod,
            self._shared,
        )
        await self._holder.replace(runtime)

    def _api(self) -> Port:
        settings = self._settings
        bounds = Bounds(settings.max_body_bytes, pulse_seconds=settings.pulse_seconds)

        def asking(path: str, parse: Parse) -> Asking:
            services = loading if path.startswith(OLLAMAS) else self._holder.current
            return Asking(parse, services, self._load, bounds, self._metrics)

        loading = ollama.Loading(self._holder.current, SystemClock())
        listing = models.Models(self._holder.current)
        routes: Routes = {
            **{("POST", path): asking(path, parse) for path, parse in PARSES.items()},
            ("GET", models.PATH): listing,
            **ollama.routes(self._holder.current),
            **FeedbackTaken(self._holder.current).routes(),
            **KeptAnswers(self._holder.current).routes(),
        }
        guards = (only_loopback_names, no_unasked_pages)
        below: Routes = {
            **dict.fromkeys(ollama.BLOBS, ollama.refuse_change),
            **KeptResponses(self._holder.current).routes(),
            **KeptSessions(self._holder.current).routes(),
            ("GET", models.BELOW): listing.one,
        }
        return Port(Dispatcher(routes, guards, self._metrics, below))

    def _probes(self) -> Port:
        probes = Probes(self._load, self._metrics.exposition)
        return Port(Dispatcher(probes.routes(), (), self._metrics))

    def _admin(self) -> Port:
        admin = Admin(
            self._load,
            self._settings.drain_seconds,
            self._config,
            self._state,
            self.end_asked.set,
        )
        below = Explaining(self._holder.current, self._settings.max_body_bytes).routes()
        guards = (only_loopback_names, no_pages)
        return Port(Dispatcher(admin.routes(), guards, self._metrics, below))

    def _config(self) -> SidecarConfig | None:
        runtime = self._holder.peek()
        return runtime.config if runtime else None

    def _redis_available(self) -> bool:
        runtime = self._holder.peek()
        return bool(runtime and runtime.store and runtime.store.available)

    def _health_place(self) -> Place | None:
        runtime = self._holder.peek()
        return runtime.health_place() if runtime else None

    def _fleet_place(self) -> FleetPlace | None:
        runtime = self._holder.peek()
        return runtime.fleet_place() if runtime else None

    def _word(self) -> Word | None:
        """The heartbeat; none while no runtime knows a Redis, or nobody told whose it would be."""
        runtime, uid = self._holder.peek(), self._settings.pod_uid
        if runtime is None or runtime.store is None or not uid:
            return None
        heartbeat = Heartbeat(
            config=runtime.digest,
            credentials=runtime.credentials_digest,
            version=VERSION,
            schema_version=SCHEMA_VERSION,
            error=self._watcher.last_error,
            policy=runtime.policy_id,
            at=self._shared.clock.utc(),
        )
        group = Group.of_namespace(runtime.config.cluster, runtime.config.namespace)
        return Word(runtime.store, group.pod(uid), heartbeat)

    def _state(self) -> JsonObject:
        runtime = self._holder.peek()
        return {
            "version": VERSION,
            "namespace": self._settings.namespace,
            "pod": self._settings.pod_name,
            "policy": runtime.policy_id if runtime else None,
            "config_digest": runtime.digest if runtime else None,
            "credentials_digest": runtime.credentials_digest if runtime else None,
            "last_error": self._watcher.last_error or None,
            "waiting_for": self._watcher.waiting_for,
            "redis_available": self._redis_available(),
            "draining": self._load.draining,
            "in_flight": self._load.in_flight,
        }


async def run(settings: Settings) -> None:
    """A whole life: returns after the first SIGTERM, SIGINT or POST /quit, and a drain. A second
    signal kills."""
    sidecar = Sidecar(settings)
    with _signals_set(sidecar.end_asked):
        await sidecar.start()
        gc.collect()
        gc.freeze()  # what lives as long as the process is not looked at again
        await sidecar.end_asked.wait()
        await sidecar.drain()
        await sidecar.close()


@contextlib.contextmanager
def _signals_set(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    signalled = asyncio.Event()

    def heard(number: int) -> None:
        if signalled.is_set():
            os._exit(SIGNALLED + number)
        signalled.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, heard, number)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
