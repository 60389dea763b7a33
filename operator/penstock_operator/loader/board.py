"""What the parts of the loader tell each other of each model. Keys are canonical names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from penstock_operator.loader.naming import canonical
from penstock_operator.loader.note import Note
from penstock_operator.ollama.models_file import ModelOrder, ModelsFile
from penstock_operator.ollama.progress import State


@dataclass(frozen=True, slots=True)
class Amount:
    """Bytes; a `total` of 0 is unknown."""

    completed: int = 0
    total: int = 0


class Board:
    """Of one process; written by its own tasks alone."""

    def __init__(self) -> None:
        self.orders: Mapping[str, ModelOrder] = {}
        self.notes: dict[str, Note] = {}
        self.busy: dict[str, State] = {}
        self.amounts: dict[str, Amount] = {}
        self.late: frozenset[str] = frozenset()
        """Ordered of a replica that served already, or ordered into its memory, and not yet there:
        the others go on."""

    def note(self, name: str) -> Note:
        return self.notes.get(name, Note())

    def take(self, file: ModelsFile, *, serving: bool) -> frozenset[str]:
        """The file's orders from now on; gives the names of those that are new or others now."""
        orders = {canonical(order.name): order for order in file.models}
        changed = frozenset(n for n in orders if orders[n] != self.orders.get(n))
        gone = self.orders.keys() - orders.keys()
        for name in changed | gone:
            note = self.notes.pop(name, None)
            if note is not None and name in changed:  # what failed before may work now
                self.notes[name] = replace(note, failures=0, retry_at=0.0, message="")
        joined = self._joined(orders) if serving and self.orders else frozenset()
        self.late = (self.late | joined) & orders.keys()
        self.orders = orders
        return changed | gone

    def _joined(self, orders: Mapping[str, ModelOrder]) -> frozenset[str]:
        """Those that are to be there, or in memory, and were not before."""
        before = self.orders
        return frozenset(
            name
            for name, order in orders.items()
            if name not in before or (order.loaded and not before[name].loaded)
        )
