"""`penstock-agent`: tells what GPUs its node has. Everything comes from the environment."""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

from penstock_agent.settings import Settings, SettingsError
from penstock_operator import logs

logger = logging.getLogger("penstock_agent")
FAILED, USAGE = 1, 2


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

    return asyncio.run(_until_signal(run_agent(settings)))


def _parser() -> argparse.ArgumentParser:
    names = ", ".join(f"PENSTOCK_{name.upper()}" for name in Settings.__annotations__)
    return argparse.ArgumentParser(
        prog="penstock-agent",
        description="Tells what GPUs its node has: a ConfigMap for the operator, and metrics.",
        epilog=f"Settings come from the environment: {names}.",
    )


async def _until_signal(work: Coroutine[Any, Any, None]) -> int:
    running = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        logger.info("process.stopped")
    except Exception as failure:  # the log and whoever started the process hear of it
        for leaf in _leaves(failure):
            ours = type(leaf).__module__.startswith("penstock_")  # says what to do
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
