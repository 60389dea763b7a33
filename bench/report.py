"""Rows to a table: figures of this run, and ratios to the last row."""

from collections.abc import Sequence

from bench.throughput import Row

HEADER = (
    "subject", "req/s", "p50 ms", "p99 ms", "1 conn p50", "p99 ms", "idle MiB", "after MiB",
    "x of last", "failed",
)  # fmt: skip


def table(rows: Sequence[Row]) -> str:
    """Markdown; `x of last` is requests a second over those of the last row."""
    peer = rows[-1].busy.requests_per_second
    lines = [
        "| " + " | ".join(HEADER) + " |",
        "|---" + "|---:" * (len(HEADER) - 1) + "|",
    ]
    lines += [_line(row, peer) for row in rows]
    return "\n".join(lines)


def _line(row: Row, peer: float) -> str:
    cells = (
        row.subject,
        f"{row.busy.requests_per_second:,.0f}",
        f"{row.busy.p50_ms:.2f}",
        f"{row.busy.p99_ms:.2f}",
        f"{row.alone.p50_ms:.2f}",
        f"{row.alone.p99_ms:.2f}",
        f"{row.idle_rss_mib:.0f}",
        f"{row.rss_mib:.0f}",
        f"{row.busy.requests_per_second / peer:.1f}",
        str(row.busy.failed + row.alone.failed),
    )
    return "| " + " | ".join(cells) + " |"
