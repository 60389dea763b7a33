"""Vouches that pairs and traces are those which were committed before a guard was measured.

python -m tests.eval.cache.frozen
"""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.eval.cache.natural import excerpt, whole
from tests.eval.cache.pairs import pairs
from tests.eval.cache.trace import EXCERPT_REQUESTS, WHOLE_REQUESTS, Trace, trace

FROZEN: Final = Path(__file__).parent / "frozen.sha256"


def promised() -> dict[str, str]:
    """What was committed: name -> SHA-256, in hex."""
    lines = FROZEN.read_text("utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def of_pairs() -> str:
    return _digest(pair.line for pair in pairs())


def of_trace(found: Trace) -> str:
    first = (f"{query.intent}\t{query.text}" for query in found.first_day)
    return _digest((*first, *(asked.line for asked in found.second_day)))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


if __name__ == "__main__":
    made = {
        "pairs": of_pairs(),
        "trace of the excerpt": of_trace(trace(excerpt(), EXCERPT_REQUESTS)),
        "trace of the whole sets": of_trace(trace(whole(), WHOLE_REQUESTS)),
    }
    sys.stdout.writelines(f"{digest}  {name}\n" for name, digest in made.items())
