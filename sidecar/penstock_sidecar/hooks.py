"""What a kubelet runs beside the sidecar: `ready` after its start, `drain` before its end.

Each is a process of its own, started while somebody waits: it imports sockets and nothing heavier.
"""

import socket
import sys
import time
from collections.abc import Callable
from typing import Final

from penstock_sidecar.settings import Settings

LOCALHOST: Final = "127.0.0.1"
READY_SECONDS: Final = 60
ANSWER_SECONDS: Final = 5
"""For a sidecar's answer, beyond what it waits for itself."""
TRY_SECONDS: Final = 0.05


class HookError(Exception):
    """The text says what did not happen."""


def drain(settings: Settings, quiet_seconds: float) -> None:
    """Returns when nothing is in flight, or the sidecar's time for that is over; it goes on."""
    path = f"/drain?quiet_seconds={quiet_seconds:g}"
    status = _post(settings.admin_port, path, settings.drain_seconds + ANSWER_SECONDS)
    if status != "200":
        msg = f"the sidecar did not drain: it answered {status or 'nothing'}"
        raise HookError(msg)


def ready(settings: Settings, seconds: float) -> None:
    """Returns when the application port takes connections."""
    deadline = time.monotonic() + seconds
    while error := _refusal(settings.port):
        if time.monotonic() > deadline:
            msg = f"nobody listens on port {settings.port} after {seconds:g} seconds: {error}"
            raise HookError(msg)
        time.sleep(TRY_SECONDS)


def meets_itself(connection: socket.socket) -> bool:
    """Where nobody listens on a port that the kernel gives to callers, a caller that was given it
    connects to itself."""
    return bool(connection.getsockname() == connection.getpeername())


def run(hook: Callable[[], None]) -> int:
    """An exit status; the kubelet shows what is printed in an Event."""
    try:
        hook()
    except HookError as error:
        print(f"penstock-sidecar: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _refusal(port: int) -> str | None:
    """Why nobody takes connections there."""
    try:
        with socket.create_connection((LOCALHOST, port), timeout=ANSWER_SECONDS) as connection:
            return "only its own caller" if meets_itself(connection) else None
    except OSError as error:
        return str(error)


def _post(port: int, path: str, seconds: float) -> str:
    """The status of the answer."""
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 0")
    try:
        with socket.create_connection((LOCALHOST, port), timeout=seconds) as connection:
            connection.sendall("\r\n".join((*lines, "", "")).encode())
            with connection.makefile("rb") as answer:
                words = answer.readline(100).decode("latin-1").split()
    except OSError as error:
        msg = f"no sidecar answers on port {port}: {error}"
        raise HookError(msg) from error
    return words[1] if len(words) > 1 else ""
