"""A replica ends once nobody is connected to its Ollama."""

import asyncio
import ipaddress
import socket
import struct
from pathlib import Path

import pytest

from penstock_operator.loader.draining import connections, connections_now, drained

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
PORT = 11434


def hexed(address: str) -> str:
    """As the kernel of a little-endian machine writes it."""
    packed = ipaddress.ip_address(address).packed
    words = (packed[n : n + 4] for n in range(0, len(packed), 4))
    return "".join(f"{struct.unpack('<I', word)[0]:08X}" for word in words)


def table(*rows: tuple[str, int, str, str]) -> str:
    """Of (local address, its port, remote address, state)."""
    lines = (
        f"   {n}: {hexed(local)}:{port:04X} {hexed(remote)}:D431 {state} 00000000:00000000"
        for n, (local, port, remote, state) in enumerate(rows)
    )
    return "\n".join([HEAD, *lines])


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (("10.0.0.7", PORT, "10.0.0.9", "01"), 1),
        (("::ffff:10.0.0.7", PORT, "::ffff:10.0.0.9", "01"), 1),
        (("fd00::7", PORT, "fd00::9", "01"), 1),
        (("10.0.0.7", PORT, "10.0.0.127", "01"), 1),
        (("127.0.0.1", PORT, "127.0.0.1", "01"), 0),
        (("::1", PORT, "::1", "01"), 0),
        (("::ffff:127.0.0.1", PORT, "::ffff:127.0.0.1", "01"), 0),
        (("10.0.0.7", PORT, "10.0.0.9", "06"), 0),
        (("0.0.0.0", PORT, "0.0.0.0", "0A"), 0),
        (("10.0.0.7", 4144, "10.0.0.9", "01"), 0),
    ],
    ids=str,
)
def test_callers_from_elsewhere_are_counted_and_the_loader_itself_is_not(
    row: tuple[str, int, str, str], count: int
) -> None:
    assert connections(table(row), PORT) == count


def test_the_tables_of_this_machine_are_read(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            rows = Path("/proc/net/tcp").read_text()
            assert f":{port:04X} " in rows, "the port is written as it is compared"
            assert connections_now(port) == 0, "over the loopback"
    assert connections_now(PORT, [tmp_path / "none"]) == 0


async def test_it_ends_with_the_last_connection() -> None:
    left = [2, 1, 0]
    async with asyncio.timeout(10):
        await drained(lambda: left.pop(0), settle_seconds=0)
    assert left == []
