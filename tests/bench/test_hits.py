"""The cache's table says what was measured."""

from bench.hits import Cost, hits_table
from bench.load import Measured


def test_processor_time_says_what_a_core_would_serve() -> None:
    busy = Measured(requests_per_second=1_234.4, p50_ms=2.5, p99_ms=9.0, failed=1)
    alone = Measured(requests_per_second=700, p50_ms=0.51, p99_ms=1.0, failed=2)
    header, _, line = hits_table([Cost("hit", busy, alone, cpu_us=250.0)]).splitlines()
    names, cells = ([c.strip() for c in row.strip("|").split("|")] for row in (header, line))
    told = dict(zip(names, cells, strict=True))
    assert told == {
        "subject": "hit",
        "req/s": "1,234",
        "p50 ms": "2.50",
        "p99 ms": "9.00",
        "1 conn p50": "0.51",
        "CPU us": "250",
        "req/CPU s": "4,000",
        "failed": "3",
    }
