"""Prompts into a policy's stream in Redis, where its sidecars claim them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock_config.cache_layout import MAX_WARMING, WARMING_MS, warming
from penstock_operator.ledger.store import Script, Store
from penstock_operator.warming.prompts import Entry

MARK_MS: Final = 86_400_000
"""Longer than anybody looks back for a time that was missed."""
_ENQUEUE: Final = Script("enqueue.lua")


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of the prompts of one time."""

    now: bool
    """False: they were there already, by another leader or before a crash."""
    count: int


async def enqueue(
    store: Store, cluster: str, policy: str, due: datetime, entries: Iterable[Entry]
) -> Enqueued:
    """Adds them, unless those of that time were added. `policy`: `<namespace>/<name>`.

    Raises `LedgerAway`; whether they were added is then not known, and asking again does no harm.
    """
    namespace, name = policy.split("/")
    stream = warming(cluster, namespace, name)
    mark = f"{{{stream}}}:{round(due.timestamp())}"
    words = [word for entry in entries for word in entry]
    reply = await store.run(_ENQUEUE, (stream, mark), MAX_WARMING, WARMING_MS, MARK_MS, *words)
    added, count = reply
    return Enqueued(bool(added), int(count))
