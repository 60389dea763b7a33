"""A fake Ollama's memory: which models are in it, who has to make room, who waits for his turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.fakes.ollama.script import FOREVER, Script
from tests.fakes.ollama.store import Manifest

BUSY = "server busy, please try again.  maximum pending requests exceeded"
TERMINATED = "llama runner process has terminated: exit status 2"
LONG = timedelta(days=292 * 365)
"""What is for ever in Go."""


class QueueFull(Exception):
    """More wait than may."""


class LoadFailed(Exception):
    """The runner ended."""


@dataclass(slots=True, eq=False)
class Runner:
    """Weights in memory, under the name of the model that was first to ask for them."""

    name: str
    manifest: Manifest
    size: int
    size_vram: int
    slots: asyncio.Semaphore
    keep_alive_seconds: float
    used_at: float
    users: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def expires_in(self, now: float) -> float:
        return FOREVER if self.users else self.used_at + self.keep_alive_seconds - now


class Memory:
    """One load at a time, as Ollama's scheduler has it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._runners: dict[str, Runner] = {}
        self.loading = asyncio.Lock()
        """Held while a model is."""
        self.next_load_seconds: float | None = None
        """Of the next one alone."""
        self._waiting = 0
        self._left = asyncio.Event()
        """Somebody was answered."""
        self.loads: list[str] = []
        """Names, one for each time that weights were loaded."""

    async def runners(self) -> list[Runner]:
        """With `ps_waits` once nothing loads."""
        if self._script.ps_waits:
            async with self.loading:
                return self._present()
        return self._present()

    @asynccontextmanager
    async def using(self, manifest: Manifest, keep_alive: float | None) -> AsyncIterator[None]:
        """A slot of its runner, which is loaded if need be. Raises `QueueFull`, `LoadFailed`."""
        runner = await self._runner(manifest)
        if keep_alive is not None:
            runner.keep_alive_seconds = keep_alive
        self._count_one_more()
        try:
            await runner.slots.acquire()
        finally:
            self._waiting -= 1
        runner.users += 1
        try:
            yield
        finally:
            runner.users -= 1
            runner.used_at = _now()
            runner.slots.release()
            self._left.set()

    def unload(self, manifest: Manifest) -> None:
        self._runners.pop(manifest.weights, None)

    def forget(self) -> None:
        """As at a start."""
        self._runners.clear()

    def expires_at(self, runner: Runner) -> str:
        left = runner.expires_in(_now())
        after = LONG if left == FOREVER else timedelta(seconds=left)
        return (datetime.now(UTC) + after).isoformat().replace("+00:00", "Z")

    def _present(self) -> list[Runner]:
        now = _now()
        for key, runner in list(self._runners.items()):
            if runner.ready.is_set() and runner.expires_in(now) <= 0:
                del self._runners[key]
        return sorted(self._runners.values(), key=lambda r: r.expires_in(now), reverse=True)

    def _count_one_more(self) -> None:
        if self._waiting >= self._script.max_queue:
            raise QueueFull
        self._waiting += 1

    async def _runner(self, manifest: Manifest) -> Runner:
        self._count_one_more()
        try:
            async with self.loading:
                self._present()
                found = self._runners.get(manifest.weights)
                if found is not None and found.manifest.adapters == manifest.adapters:
                    return found
                return await self._load(manifest)
        finally:
            self._waiting -= 1

    async def _load(self, manifest: Manifest) -> Runner:
        self._runners.pop(manifest.weights, None)
        size = manifest.size + manifest.size // 10
        self._make_room(size)
        while self._script.waits_for_room and self._runners and not self._has_room(size):
            self._left.clear()
            await self._left.wait()
            self._make_room(size)
        free = max(0, self._script.vram_bytes - sum(r.size_vram for r in self._runners.values()))
        runner = Runner(
            name=manifest.name,
            manifest=manifest,
            size=size,
            size_vram=min(size, free),
            slots=asyncio.Semaphore(self._script.parallel),
            keep_alive_seconds=self._script.keep_alive_seconds,
            used_at=_now(),
        )
        self._runners[manifest.weights] = runner
        try:
            await self._read(manifest)
        except BaseException:
            self._runners.pop(manifest.weights, None)
            raise
        runner.used_at = _now()
        runner.ready.set()
        self.loads.append(manifest.name)
        return runner

    async def _read(self, manifest: Manifest) -> None:
        once, self.next_load_seconds = self.next_load_seconds, None
        await asyncio.sleep(self._script.load_seconds if once is None else once)
        if manifest.name.startswith("broken"):
            raise LoadFailed

    def _make_room(self, size: int) -> None:
        """Who is idle and was used least of late goes first."""
        idle = sorted((r for r in self._runners.values() if not r.users), key=lambda r: r.used_at)
        for runner in idle:
            if self._has_room(size):
                return
            del self._runners[runner.manifest.weights]

    def _has_room(self, size: int) -> bool:
        taken = sum(r.size_vram for r in self._runners.values())
        has_place = len(self._runners) < self._script.max_loaded_models
        return has_place and taken + size <= self._script.vram_bytes


def _now() -> float:
    return asyncio.get_running_loop().time()
