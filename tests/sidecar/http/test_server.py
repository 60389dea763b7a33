import socket

import pytest

from penstock_sidecar.http import server
from penstock_sidecar.http.server import StartError, bind


def _close(sockets: list[socket.socket]) -> None:
    for one in sockets:
        one.close()


def _ipv6_there() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_taken_port_is_a_clear_start_error() -> None:
    sockets = bind(("127.0.0.1",), 0)
    port = sockets[0].getsockname()[1]
    with pytest.raises(StartError, match=f"127.0.0.1 port {port}: .*in use"):
        bind(("127.0.0.1",), port)
    _close(sockets)


def test_an_impossible_port_is_a_clear_start_error() -> None:
    with pytest.raises(StartError, match="0 to 65535"):
        bind(("127.0.0.1",), 70_000)


def test_an_address_that_the_machine_lacks_is_said_and_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sockets = bind(("127.0.0.1", "fd00:dead:beef::1"), 0)
    assert len(sockets) == 1
    assert [record.msg for record in caplog.records] == ["http.address_absent"]
    _close(sockets)


def test_the_first_address_must_be_there() -> None:
    with pytest.raises(StartError):
        bind(("fd00:dead:beef::1",), 0)


@pytest.mark.skipif(not _ipv6_there(), reason="this machine has no ::1")
def test_both_loopback_addresses_get_the_same_port() -> None:
    sockets = bind(server.LOOPBACK, 0)
    assert len({one.getsockname()[1] for one in sockets}) == 1
    assert len(sockets) == 2
    _close(sockets)
