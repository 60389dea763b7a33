"""`python -m bench [WHAT]`: measure throughput, limits, streaming, routing, cache (hits), semantic
(lookups by meaning) or operator, and print.

Where none is named, all but `operator`, which needs a kube-apiserver and minutes.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import uvloop

from bench.hits import hits, hits_table
from bench.limits import redis_costs
from bench.load import Load
from bench.operator import operator_steps, operator_table
from bench.penstock import On
from bench.population import Size
from bench.redis_cost import command_table, cost_table
from bench.report import table
from bench.routing import routing_table, routing_times
from bench.semantic import lookups, semantic_table
from bench.streaming import ROUNDS, STREAMS, streaming, streaming_table
from bench.throughput import OTHER_CORE, throughput

WHAT: Final = ("throughput", "limits", "streaming", "routing", "cache", "semantic", "operator")
SIZE: Final = ("NAMESPACES", "POLICIES", "PODS", "CHURNED")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="?", choices=WHAT)
    parser.add_argument("--seconds", type=int, default=10, help="per measurement (default 10)")
    parser.add_argument("--connections", type=int, default=32, help="at once (default 32)")
    parser.add_argument("--requests", type=int, default=2000, help="per batch (default 2000)")
    parser.add_argument("--streams", type=int, default=STREAMS, help=f"at once (default {STREAMS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of streams (default {ROUNDS})")
    parser.add_argument("--no-peer", action="store_true", help="leave LiteLLM out")
    parser.add_argument("--size", type=int, nargs=4, metavar=SIZE)
    options = parser.parse_args()
    if options.what == "operator":
        return _operator(Size(*options.size) if options.size else Size())
    tables: Mapping[str, Callable[[], str]] = {
        "cache": lambda: _cache(options.seconds, options.connections),
        "semantic": lambda: semantic_table(asyncio.run(lookups())),
        "routing": lambda: routing_table(routing_times(options.requests)),
        "streaming": lambda: _streaming(options.streams, options.rounds),
    }
    for what in tables if options.what is None else {options.what} & tables.keys():
        print(tables[what](), end="\n\n")
    return 0 if options.what in tables else _throughput(options)


def _throughput(options: argparse.Namespace) -> int:
    if options.what != "throughput":
        costs = asyncio.run(redis_costs(options.requests))
        print(cost_table(costs), command_table(costs), sep="\n\n", end="\n\n")
    load = Load(options.seconds, options.connections, OTHER_CORE)
    limits_only = options.what == "limits"
    subjects: tuple[On, ...] = ("nothing", "limits")
    if not limits_only:
        subjects += ("everything",)
    with_peer = not (limits_only or options.no_peer)
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(throughput(Path(folder), load, subjects, with_peer=with_peer))
    print(table(rows))
    return 1 if any(row.busy.failed for row in rows) else 0


def _cache(seconds: int, connections: int) -> str:
    load = Load(seconds, connections, OTHER_CORE)
    with tempfile.TemporaryDirectory() as folder:
        return hits_table(asyncio.run(hits(Path(folder), load)))


def _streaming(streams: int, rounds: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        found = uvloop.run(streaming(Path(folder), ("nothing", "everything"), streams, rounds))
    return streaming_table(found)


def _operator(size: Size) -> int:
    with tempfile.TemporaryDirectory() as folder:
        print(operator_table(asyncio.run(operator_steps(Path(folder), size))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
