"""Which of a Cluster's 16384 slots a call belongs to, and who serves it: pure.

https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from binascii import crc_hqx
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.store import Argument

SLOTS: Final = 16384
ANYWHERE: Final = frozenset({"ECHO", "INFO", "PING", "TIME"})
"""Commands without a key that sidecars may call; of all others the first argument is the key."""

UNNAMED: Final = frozenset({"", "?"})

Endpoint = tuple[str, int]


def slot_of(key: Argument) -> int:
    """CRC16 of what stands in the first braces, or of the whole key."""
    data = key if isinstance(key, bytes) else str(key).encode()
    begin = data.find(b"{")
    if begin >= 0:
        end = data.find(b"}", begin + 1)
        if end > begin + 1:
            data = data[begin + 1 : end]
    return crc_hqx(data, 0) % SLOTS


def slot_of_command(arguments: tuple[Argument, ...]) -> int | None:
    """None for what any node can answer."""
    name = arguments[0]
    name = name.decode() if isinstance(name, bytes) else str(name)
    return None if len(arguments) == 1 or name.upper() in ANYWHERE else slot_of(arguments[1])


@dataclass(frozen=True, slots=True)
class View:
    """What one node knows. The better view is the one that is `larger`."""

    whole: bool
    epoch: int
    owners: tuple[tuple[range, Endpoint], ...]

    @property
    def larger(self) -> tuple[bool, int]:
        """A node that is cut off says `fail`; one that slept has an old epoch."""
        return self.whole, self.epoch

    def endpoints(self) -> set[Endpoint]:
        return {endpoint for _, endpoint in self.owners}

    def table(self) -> list[Endpoint | None]:
        table: list[Endpoint | None] = [None] * SLOTS
        for slots, endpoint in self.owners:
            table[slots.start : slots.stop] = [endpoint] * len(slots)
        return table


def view(info: object, slots: object, asked: Endpoint) -> View:
    """From the replies to CLUSTER INFO and CLUSTER SLOTS; raises `ValueError` for others."""
    match info, slots:
        case bytes(text), [*rows]:
            return _view(text.decode(), rows, asked)
        case _:
            raise ValueError("no view of a Cluster")


def _view(info: str, slots: list[object], asked: Endpoint) -> View:
    fields = dict(line.partition(":")[::2] for line in info.split())
    owners = tuple(_owners(slots, asked))
    epoch = int(fields.get("cluster_current_epoch", "0"))
    return View(fields.get("cluster_state") == "ok", epoch, owners)


def _owners(rows: Iterable[object], asked: Endpoint) -> Iterable[tuple[range, Endpoint]]:
    for row in rows:
        match row:
            case [int(first), int(last), [host, int(port), *_], *_]:
                yield range(first, last + 1), (_host(host, asked), port)
            case _:
                raise ValueError("no row of CLUSTER SLOTS")


def _host(host: object, asked: Endpoint) -> str:
    """A node that does not know its own name is where it was asked."""
    name = host.decode() if isinstance(host, bytes) else ""
    return asked[0] if name in UNNAMED else name


def redirect(text: str, asked: Endpoint) -> Endpoint | None:
    """From `MOVED 3999 10.0.0.1:6381` or `ASK ...`; None where no address follows."""
    host, _, port = text.rpartition(" ")[2].rpartition(":")
    return (asked[0] if host in UNNAMED else host, int(port)) if port.isdigit() else None
