"""`make eval-cache`: how often the cache hits, and how often it should not have; 1 below the goals.

    python -m tests.eval.cache [--sets DIR] [--python PATH] [--docs FILE] [--compression]

`--sets` holds the labelled sets, `--python` has the embedder's libraries and weights; `--docs` is a
page whose tables are written anew; `--compression` measures compression alone, which needs neither
sets nor embedder.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.eval.cache import report
from tests.eval.cache.levels import SHIPPED
from tests.eval.cache.measuring import Measurements, material
from tests.eval.cache.natural import WHOLE_SETS
from tests.eval.cache.nearness import PYTHON
from tests.eval.cache.scoring import Goal

FENCE: Final = "```"
PAGE: Final = Path("docs/cache-evaluation.md")


def main(arguments: argparse.Namespace) -> int:
    if arguments.compression:
        tables = "\n".join(report.compression_table())
        goals: Sequence[Goal] = list(report.compression_goals())
    else:
        tables, goals = _measured(arguments.sets, arguments.python)
    told = f"{tables}\n\n{report.verdict(goals)}\n"
    print(told, end="")
    if arguments.docs:
        arguments.docs.write_text(_replaced(arguments.docs.read_text("utf-8"), told), "utf-8")
    return int(not all(goal.met for goal in goals))


def _measured(sets: Path, python: Path) -> tuple[str, Sequence[Goal]]:
    of = material(sets)
    found = Measurements(of, python)
    extent = "the whole labelled sets" if of.complete else f"the excerpt: {sets} has no whole sets"
    title = (
        f"all-MiniLM-L6-v2 ({found.nearness.encoder}); {extent}; "
        f"shipped: threshold {SHIPPED.threshold}, guard {'on' if SHIPPED.guard else 'off'}"
    )
    return f"{title}\n\n{report.tables(found)}", list(report.goals(found))


def _replaced(page: str, told: str) -> str:
    """The page with other tables between its first two fences."""
    before, _, after = page.split(FENCE, 2)
    return f"{before}{FENCE}\n{told}{FENCE}{after}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the cache.")
    parser.add_argument("--sets", type=Path, default=WHOLE_SETS)
    parser.add_argument("--python", type=Path, default=PYTHON)
    parser.add_argument("--docs", type=Path, nargs="?", const=PAGE)
    parser.add_argument("--compression", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
