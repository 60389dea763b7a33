"""`penstock-agent`: tells what GPUs its node has. Everything comes from the environment."""

import argparse
import logging
import sys
from collections.abc import Sequence

from penstock_agent.settings import Settings
from penstock_operator import logs
from penstock_operator.environment import SettingsError
from penstock_operator.process import run_to_end

logger = logging.getLogger("penstock_agent")
USAGE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT (0); 1: failed, 2: wrong settings."""
    _parser().parse_args(arguments)
    try:
        settings = Settings.from_environment()
    except SettingsError as error:
        print(f"penstock-agent: {error}", file=sys.stderr)
        return USAGE
    logs.configure(settings.log_level)
    from penstock_agent.app import run_agent

    return run_to_end(run_agent(settings), logger)


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(f"PENSTOCK_{name.upper()}" for name in Settings.__annotations__)
    return argparse.ArgumentParser(
        prog="penstock-agent",
        description="Tells what GPUs its node has: a ConfigMap for the operator, and metrics.",
        epilog=f"Settings come from the environment: {names}.",
    )


if __name__ == "__main__":
    sys.exit(main())
