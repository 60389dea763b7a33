"""`penstock-operator`: the control loop, or with `injector` the admission server.

`loader` runs beside an Ollama in its pod, and gets and loads its models.

`redis-login` makes the Secret that a Redis of the chart's own starts with, and ends;
`embedder-login` that of the embedder.
"""

import argparse
import logging
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from penstock_operator import logs
from penstock_operator.environment import SettingsError
from penstock_operator.process import run_to_end
from penstock_operator.settings import Settings

logger = logging.getLogger("penstock_operator")
USAGE = 2


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
    return run_to_end(part, logger)


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


if __name__ == "__main__":
    sys.exit(main())
