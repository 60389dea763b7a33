"""What is known of each ordered model at one look, and what of it is remembered."""

from collections.abc import Mapping
from dataclasses import replace

from penstock_operator.loader import note
from penstock_operator.loader.board import Board
from penstock_operator.loader.errors import Unusable
from penstock_operator.loader.look import Look
from penstock_operator.loader.made import Made, Register
from penstock_operator.loader.recipe import recipe, stamp
from penstock_operator.loader.verdict import Clocks, Fact, belongs_in_memory
from penstock_operator.loader.volume import Volume
from penstock_operator.loader.wire import Installed, Running
from penstock_operator.ollama.models_file import ModelOrder, ModelsFile


class Gathering:
    def __init__(
        self, board: Board, register: Register, volume: Volume, pauses: note.Pauses
    ) -> None:
        self._board = board
        self._register = register
        self._volume = volume
        self._pauses = pauses

    def gather(self, file: ModelsFile, look: Look, clocks: Clocks) -> Mapping[str, Fact]:
        """In the file's order."""
        on_demand = not all(order.loaded for order in file.models)
        facts: dict[str, Fact] = {}
        for name, order in self._board.orders.items():
            installed, running = look.installed.get(name), self._running(name, look)
            fact = Fact(
                order=order,
                note=self._board.note(name),
                installed=installed,
                current=self._is_current(order, installed),
                running=running,
                busy=self._board.busy.get(name),
                keep_alive_seconds=file.keep_alive_seconds,
                on_demand=on_demand,
                others_running=bool(look.running),
            )
            facts[name] = self._remembered(name, fact, clocks) if not look.problem else fact
        return facts

    def _running(self, name: str, look: Look) -> Running | None:
        found = look.running.get(name)
        return found or look.running.get(self._board.note(name).alias)

    def _is_current(self, order: ModelOrder, installed: Installed | None) -> bool:
        if order.source == "pull" or installed is None:
            return True
        try:
            made = recipe(order, self._volume.path)
            wanted = Made(stamp=stamp(made), digest=installed.digest)
        except Unusable:
            return False  # making it will say why not
        return self._register.is_made(order.name, wanted)

    def _remembered(self, name: str, fact: Fact, clocks: Clocks) -> Fact:
        """With its note brought up to date, which is kept."""
        before = fact.note
        if fact.running is not None:
            after = note.seen(before, fact.running.expires_at, clocks.now)
        elif fact.busy is not None:
            after = before
        elif before.confirmed and belongs_in_memory(fact, clocks.today):
            after = note.lost(before, clocks.now, self._pauses)
        else:
            after = note.left(before)
        if after != before:
            self._board.notes[name] = after
        return replace(fact, note=after)
