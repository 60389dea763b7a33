"""`python -m bench`: measure and print."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench.load import Load
from bench.report import table
from bench.throughput import OTHER_CORE, throughput


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="per measurement (default 10)")
    parser.add_argument("--connections", type=int, default=32, help="at once (default 32)")
    parser.add_argument("--no-peer", action="store_true", help="leave LiteLLM out")
    options = parser.parse_args()
    load = Load(options.seconds, options.connections, OTHER_CORE)
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(throughput(Path(folder), load, with_peer=not options.no_peer))
    print(table(rows))
    return 1 if any(row.busy.failed for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
