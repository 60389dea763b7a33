"""The loader's loop: read the orders, look at Ollama, decide, begin what is next, say how it is."""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from penstock_operator.loader.board import Board
from penstock_operator.loader.garbage import FULL, Garbage
from penstock_operator.loader.gathering import Gathering
from penstock_operator.loader.loading import load
from penstock_operator.loader.look import Look, Looking
from penstock_operator.loader.made import Register
from penstock_operator.loader.note import Pauses
from penstock_operator.loader.ollama import Ollama
from penstock_operator.loader.orders import Orders
from penstock_operator.loader.report import replica, reported
from penstock_operator.loader.settings import LoaderSettings
from penstock_operator.loader.transfers import Transfers
from penstock_operator.loader.verdict import Clocks, Fact, Step, Verdict, judged
from penstock_operator.loader.volume import Volume
from penstock_operator.loader.works import Hooks, Work, Works
from penstock_operator.ollama.models_file import ModelsFile
from penstock_operator.ollama.progress import Progress

STANDSTILL_SECONDS: Final = 60.0
NO_FILE: Final = "no models.json was read yet"
SHARED: Final = "another replica works on the models volume"


class Loader:
    """`run` turns until it is cancelled; `progress` and `is_alive` may be asked at any time."""

    def __init__(
        self,
        settings: LoaderSettings,
        ollama: Ollama,
        *,
        luck: Callable[[], float] = random.random,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._ollama = ollama
        self._pauses = Pauses(settings.retry_seconds, luck)
        self._today = today
        self._board = Board()
        self._orders = Orders(settings.models_file)
        self._looking = Looking(ollama, settings.answer_seconds)
        self._volume = Volume(settings.models_dir)
        register = Register(settings.models_dir)
        self._gathering = Gathering(self._board, register, self._volume, self._pauses)
        self._transfers = Transfers(
            ollama, self._board, self._volume, register, settings.stall_seconds
        )
        self._garbage = Garbage(settings.garbage_seconds)
        self._wake = asyncio.Event()
        self._turned_at = _now()
        self._look = Look()
        self._facts: Mapping[str, Fact] = {}
        self._verdicts: Mapping[str, Verdict] = {}
        self._shared = ""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            hooks = Hooks(ended=self._wake.set, failed=self._make_room)
            works = Works(group, self._board, self._pauses, hooks)
            while True:
                self._wake.clear()
                self._orders.read()
                if (file := self._orders.file) is not None:
                    await self._turn(file, works)
                self._turned_at = _now()
                await self._pause()

    def progress(self) -> Progress:
        """As of the last turn; what is pulled, as of now."""
        models = reported(self._facts, self._verdicts, self._board.amounts)
        has_file = self._orders.file is not None
        problem = self._orders.problem or ("" if has_file else NO_FILE)
        late = self._board.late
        serve = all(each.serves or name in late for name, each in self._verdicts.items())
        away = self._look.problem if has_file else ""
        return replica(models, problem, away, self._shared, ready=has_file and not away and serve)

    def is_alive(self) -> bool:
        return _now() - self._turned_at < STANDSTILL_SECONDS

    async def _turn(self, file: ModelsFile, works: Works) -> None:
        works.cancel(self._board.take(file, serving=self.progress().ready))
        self._look = await self._looking.look()
        if self._wake.is_set():
            return  # something has ended while we looked: what was seen may be older
        self._decide(file)
        if not self._look.problem:
            self._begin_load(works)
            self._begin_transfer(file, works)
            self._decide(file)  # what was begun is said at once

    def _decide(self, file: ModelsFile) -> None:
        """All of them wait for an Ollama that is not there."""
        clocks = Clocks(_now(), self._today())
        self._facts = self._gathering.gather(file, self._look, clocks)
        if self._look.problem:
            self._verdicts = dict.fromkeys(self._facts, Verdict("Waiting"))
        else:
            self._verdicts = {name: judged(fact, clocks) for name, fact in self._facts.items()}
            self._board.late -= {name for name, each in self._verdicts.items() if each.serves}

    def _begin_load(self, works: Works) -> None:
        if works.memory.is_free and (name := self._first("Load")) is not None:
            work = load(self._ollama, self._board, name, self._facts[name])
            works.begin(works.memory, name, "Loading", work)

    def _begin_transfer(self, file: ModelsFile, works: Works) -> None:
        """Only by who holds the volume: of replicas that share one, the others wait."""
        garbage = self._due()
        if not works.disk.is_free:
            return
        self._shared = ""
        name = self._first("Pull", "Create") or garbage
        if name is None:
            return
        held = self._volume.take()
        if held is None:
            self._shared = SHARED
            return
        works.begin(works.disk, name, "Waiting", self._transfer(name, file), held.release)

    def _transfer(self, name: str, file: ModelsFile) -> Work:
        order = self._board.orders.get(name)
        if order is None:
            return self._transfers.delete(name)
        act = self._transfers.pull if order.source == "pull" else self._transfers.create
        return act(order, file.pull_timeout_seconds)

    def _first(self, *steps: Step) -> str | None:
        """In the file's order."""
        found = (name for name, verdict in self._verdicts.items() if verdict.step in steps)
        return next(found, None)

    def _due(self) -> str | None:
        """Garbage that is to go now."""
        due = self._garbage.due(self._look.installed, self._board.orders, _now())
        return next((n for n in due if self._board.note(n).retry_at <= _now()), None)

    def _make_room(self, words: str) -> None:
        if FULL in words:
            self._garbage.hurry()

    async def _pause(self) -> None:
        """Until the next look, or until something has ended."""
        try:
            async with asyncio.timeout(self._settings.look_seconds):
                await self._wake.wait()
        except TimeoutError:
            return


def _now() -> float:
    return asyncio.get_running_loop().time()
