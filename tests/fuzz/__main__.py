"""`python -m tests.fuzz [--minutes 10]`: looks for inputs that break a promise, and keeps them."""

import argparse
import sys
import time
import traceback
from collections import Counter

from tests.fuzz.corpus import What
from tests.fuzz.search import Search

KINDS: tuple[What, ...] = ("streams", "wholes", "requests")
EXAMPLES = 300
"""Between two looks at the clock."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    minutes: float = parser.parse_args().minutes
    end, tried, places = time.monotonic() + 60 * minutes, Counter[str](), set[str]()
    while time.monotonic() < end:
        for what in KINDS:
            search = Search(what)
            try:
                search.run(EXAMPLES, lambda error: place_of(error) in places)
            except Exception:  # noqa: BLE001  # told below, and kept
                places.add(tell(search))
            tried[what] += EXAMPLES
    print(f"tried about {dict(tried)}; broken: {len(places)}")
    return 1 if places else 0


def tell(search: Search) -> str:
    """Prints and keeps what was found; returns its place, so that it is found once."""
    assert search.broken, "hypothesis itself failed"
    case, error = search.broken
    place = place_of(error)
    print(f"== {case.what}, {case.way}: {case.data!r}, cut at {case.places}")
    traceback.print_exception(error)
    print(f"kept as {case.save(place)}", flush=True)
    return place


def place_of(error: Exception) -> str:
    """The innermost line that raised it, by the text of the code."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    name = last.filename.rpartition("/penstock/")[2].rpartition("/sidecar/")[2]
    return f"{type(error).__name__} in {name}, {last.name}: {last.line}"


if __name__ == "__main__":
    sys.exit(main())
