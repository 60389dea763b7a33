"""`penstock-sidecar`: everything comes from the environment, `PENSTOCK_*` (see `settings`)."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from penstock_sidecar import hooks
from penstock_sidecar.settings import Settings

if TYPE_CHECKING:
    import asyncio

FAILED, BAD_START = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit status: 0 after a drain, 1 when a hook fails, 2 when it cannot start."""
    given = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
    except ValueError as error:
        return _refuse(error)
    match given.command:
        case "drain":
            return hooks.run(lambda: hooks.drain(settings, given.quiet_seconds))
        case "ready":
            return hooks.run(lambda: hooks.ready(settings, given.seconds))
        case _:
            return _serve(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="penstock-sidecar", description=__doc__)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", title="what a kubelet runs beside it")
    drain = commands.add_parser("drain", help="before it is stopped: let requests end")
    drain.add_argument("--quiet-seconds", type=float, default=0)
    ready = commands.add_parser("ready", help="after it is started: wait until it listens")
    ready.add_argument("--seconds", type=float, default=hooks.READY_SECONDS)
    return parser


class _Version(argparse.Action):
    """Reads the version only when asked: hooks have no time for it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('penstock')}")
        parser.exit()


def _serve(settings: Settings) -> int:
    import asyncio

    from penstock_sidecar.telemetry import logs

    try:
        logs.configure(settings.log_level)
    except ValueError as error:
        return _refuse(error)
    from penstock_sidecar.app import run
    from penstock_sidecar.http.server import StartError

    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(run(settings))
    except StartError as error:
        return _refuse(error)
    return 0


def _refuse(error: Exception) -> int:
    print(f"penstock-sidecar: {error}", file=sys.stderr)
    return BAD_START


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop where there is one; it does not exist for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
