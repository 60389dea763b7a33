"""Which call a piece of a stream belongs to.

The index should say. Some servers (Ollama's `/v1` among them) give every call the index 0, or none:
there a name together with another id begins the next call. One of them alone says nothing: some
repeat the name, some make a new id for each piece.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from penstock_sidecar.dialects.events import CallPiece


@dataclass(slots=True)
class Calls:
    """Those of one answer so far, in all its choices."""

    _open: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)
    """By choice and the server's index: our index, and the call's id."""
    _count: Counter[int] = field(default_factory=Counter)
    """By choice."""

    def placed(self, piece: CallPiece) -> CallPiece:
        """It, with an index that no other call has."""
        place = piece.choice, piece.index
        index, id_ = self._open.get(place, (None, ""))
        if index is None or (piece.name and piece.id and id_ and piece.id != id_):
            index, id_ = self._count[piece.choice], ""
            self._count[piece.choice] += 1
        self._open[place] = index, id_ or piece.id
        return replace(piece, index=index)
