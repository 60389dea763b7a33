"""An answer found."""

from collections.abc import Iterable
from typing import Literal

import orjson

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.forms import Form
from penstock_sidecar.model import Request, Usage
from penstock_sidecar.values import dataclass

Level = Literal["hit-exact", "hit-normalised", "hit-semantic"]
"""By what was found that it answers the question."""


@dataclass(frozen=True, slots=True, repr=False)
class Hit:
    """`key_id` names the entry to people; its key is nobody's business."""

    entry: Entry
    form: Form
    level: Level
    key_id: str
    age_seconds: int
    similarity: float | None = None
    """At the semantic level, from 0 to 1."""
    due: bool = False
    """Its life is nearly over: it is to be renewed now."""

    @property
    def usage(self) -> Usage:
        """Of the call that was paid for."""
        return self.entry.usage

    @property
    def saved_micro_usd(self) -> int:
        return self.entry.cost_micro_usd

    def content_type(self, request: Request) -> str:
        streams = self.form.streams
        return streams.content_type if request.stream and streams else "application/json"

    def pieces(self, request: Request) -> Iterable[bytes]:
        """The answer in the manner that `request` asks for: as it was kept, or its events."""
        if request.stream and (streams := self.form.streams):
            return streams.replayed(orjson.loads(self.entry.body), request.usage_wanted)
        return (self.entry.body,)
