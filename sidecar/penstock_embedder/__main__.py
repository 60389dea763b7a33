"""`penstock-embedder`: everything comes from the environment, `PENSTOCK_EMBEDDER_*`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from penstock_embedder.errors import StartError
from penstock_embedder.settings import Settings

if TYPE_CHECKING:
    import asyncio

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One per call: with more, each waits for the slowest, and a busy neighbour makes all slow."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The process's exit status: 0 after a drain, 2 for a wrong setting or a port that is taken,
    3 where there is no model that can be run."""
    given = _parser().parse_args(arguments)
    for variable in ONE_THREAD:  # before numpy is there
        os.environ.setdefault(variable, "1")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        return _export(given.folder) if given.command == "export" else _serve()
    except StartError as error:
        print(f"penstock-embedder: {error}", file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="penstock-embedder", description=__doc__)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", title="before it runs")
    export = commands.add_parser("export", help="write the model as onnxruntime reads it")
    export.add_argument("folder", type=Path, help="gets the model and all that goes with it")
    return parser


class _Version(argparse.Action):
    """Reads the version only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('penstock')}")
        parser.exit()


def _export(folder: Path) -> int:
    from penstock_embedder.encoding.export import export
    from penstock_embedder.encoding.files import VARIABLE, find_model

    export(find_model(os.environ.get(VARIABLE, "")), folder)
    return 0


def _serve() -> int:
    import asyncio

    from penstock_embedder import logs

    settings = Settings.from_environment()
    logs.configure(settings.log_level)
    from penstock_embedder.app import run

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(run(settings))
    return 0


def _loop_factory() -> "Callable[[], asyncio.AbstractEventLoop] | None":
    """uvloop where there is one; it does not exist for every system."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
