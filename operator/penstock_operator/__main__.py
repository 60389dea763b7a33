"""`penstock-operator`: the control loop, or with `injector` the admission server.

`loader` runs beside an Ollama in its pod, and gets and loads its models.

`redis-login` makes the Secret that a Redis of the chart's own starts with, and ends;
`embedder-login` that of the embedder.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, NoReturn

from penstock_operator import logs
from penstock_operator.settings import Settings, SettingsError

logger = logging.getLogger("penstock_operator")
FAILED, USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT (0); 1: failed, 2: wrong settings."""
    given = _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
        _configure_logs(settings.log_level)
        part = _part(given.part, settings)
    except SettingsError as error:
        print(f"penstock-operator: {error}", file=sys.stderr)
        return USAGE
    code = asyncio.run(_until_signal(part))
    if any(each.daemon for each in threading.enumerate()):
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Ends the process beside a thread that does not want to: it would run on while the
    interpreter is taken apart under it, and might take the exit code along."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(f"PENSTOCK_{name.upper()}" for name in Settings.__annotations__)
    parser = argparse.ArgumentParser(
        prog="penstock-operator",
        description="Compiles Penstock's custom resources into its sidecars' configuration.",
        epilog=f"Settings come from the environment: {names}.",
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=("operator", "injector", "loader", "redis-login", "embedder-login"),
        default="operator",
        help="what to run (default: operator)",
    )
    return parser


def _configure_logs(level: str) -> None:
    if level not in logs.LEVELS:
        msg = f"PENSTOCK_LOG_LEVEL={level!r}: expected one of {', '.join(logs.LEVELS)}"
        raise SettingsError(msg)
    logs.configure(level)


def _part(name: str, settings: Settings) -> Coroutine[Any, Any, None]:
    """Imported late: the injector needs no kopf, `--help` neither."""
    if name == "injector":
        from penstock_operator.webhook.injector import run_injector

        return run_injector(settings)
    if name == "loader":
        from penstock_operator.loader.run import run_loader
        from penstock_operator.loader.settings import LoaderSettings

        return run_loader(LoaderSettings.from_environment())
    if name in {"redis-login", "embedder-login"}:
        from penstock_operator.handlers.login_secret import run_embedder_login, run_redis_login

        return (run_redis_login if name == "redis-login" else run_embedder_login)(settings)
    from penstock_operator.handlers.replica import run_replica

    return run_replica(settings)


async def _until_signal(part: Coroutine[Any, Any, None]) -> int:
    work = asyncio.create_task(part)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        logger.info("process.stopped")
    except Exception as failure:  # the log and whoever started the process hear of it
        for leaf in _leaves(failure):
            ours = type(leaf).__module__.startswith("penstock_operator.")  # says what to do
            text = f"{type(leaf).__name__}: {leaf}"
            logger.error(  # noqa: TRY400
                "process.failed", extra={"error": text}, exc_info=None if ours else leaf
            )
        return FAILED
    return 0


def _leaves(failure: BaseException) -> Iterator[BaseException]:
    """The exceptions inside of a group, or the one itself."""
    if isinstance(failure, BaseExceptionGroup):
        for each in failure.exceptions:
            yield from _leaves(each)
    else:
        yield failure


if __name__ == "__main__":
    sys.exit(main())
