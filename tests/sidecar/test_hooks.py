"""What a kubelet runs beside the sidecar, as the processes that it runs."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from penstock_sidecar import hooks
from penstock_sidecar.settings import Settings
from tests.ports import free_port

HEAVY = ("asyncio", "aiohttp", "ssl", "http.client", "pydantic", "redis", "importlib.metadata")
PROBE = """
import sys
from penstock_sidecar.__main__ import main
status = main(sys.argv[1:])
print(*[name for name in sys.modules])
sys.exit(status)
"""


def hook(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    env |= {f"PENSTOCK_{name}": text for name, text in settings.items()}
    command = [sys.executable, "-P", "-c", PROBE, *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def answering(reply: bytes) -> tuple[int, Callable[[], bytes]]:
    """A port that answers once; what it was asked."""
    server = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        with server, server.accept()[0] as connection:
            heard.append(connection.recv(4096))
            connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()

    def asked() -> bytes:
        thread.join()
        return heard[0]

    return server.getsockname()[1], asked


def test_drain_asks_the_sidecar_and_succeeds() -> None:
    port, asked = answering(b"HTTP/1.1 200 OK\r\n\r\n{}")
    done = hook("drain", "--quiet-seconds=3", ADMIN_PORT=str(port))
    assert (done.returncode, done.stderr) == (0, "")
    assert asked().startswith(b"POST /drain?quiet_seconds=3 HTTP/1.1\r\nHost: localhost\r\n")


@pytest.mark.parametrize(
    ("reply", "said"), [(b"HTTP/1.1 503 No\r\n\r\n", "it answered 503"), (b"", "answered nothing")]
)
def test_a_drain_that_was_none_says_so(reply: bytes, said: str) -> None:
    port, asked = answering(reply)
    done = hook("drain", ADMIN_PORT=str(port))
    asked()
    assert done.returncode == 1
    assert said in done.stderr


def test_without_a_sidecar_a_hook_fails_in_one_line() -> None:
    done = hook("drain", ADMIN_PORT=str(free_port()))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    done = hook("ready", "--seconds=0.1", PORT=str(free_port()))
    assert done.returncode == 1
    assert "after 0.1 seconds" in done.stderr


def test_ready_waits_until_somebody_listens() -> None:
    port = free_port()
    waiting = threading.Event()

    def wait() -> None:
        waiting.set()
        hooks.ready(Settings(port=port), 30)

    thread = threading.Thread(target=wait)
    thread.start()
    waiting.wait()
    with socket.create_server(("127.0.0.1", port)) as server:
        server.accept()[0].close()
        thread.join()


def test_a_caller_that_meets_itself_found_nobody() -> None:
    with socket.socket() as alone, socket.create_server(("127.0.0.1", 0)) as server:
        alone.bind(("127.0.0.1", 0))
        alone.connect(alone.getsockname())
        assert hooks.meets_itself(alone)
        with socket.create_connection(server.getsockname()) as connection:
            assert not hooks.meets_itself(connection)


def test_hooks_start_without_what_a_sidecar_needs() -> None:
    """Somebody waits for each."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = hook("ready", PORT=str(server.getsockname()[1]))
    assert done.returncode == 0
    assert not set(HEAVY) & set(done.stdout.split())


def test_a_bad_setting_is_one_clear_line() -> None:
    done = hook("drain", ADMIN_PORT="many")
    assert (done.returncode, done.stderr) == (
        2,
        "penstock-sidecar: PENSTOCK_ADMIN_PORT='many': expected int\n",
    )
