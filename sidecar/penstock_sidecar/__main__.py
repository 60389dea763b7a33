"""`penstock-sidecar`: everything comes from the environment, `PENSTOCK_*` (see `settings`)."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from penstock_sidecar.settings import Settings

BAD_START = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit status: 0 after a drain, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="penstock-sidecar", description=__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('penstock')}")
    parser.parse_args(arguments)

    from penstock_sidecar.telemetry import logs

    try:
        settings = Settings.from_environment()
        logs.configure(settings.log_level)
    except ValueError as error:
        return _refuse(error)
    return _run(settings)


def _run(settings: Settings) -> int:
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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where there is one; it does not exist for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
