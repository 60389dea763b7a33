"""Probes and metrics over HTTP."""

import aiohttp
import pytest

from penstock_operator.metrics import Metrics
from penstock_operator.probes import serve_probes


async def get(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_a_probe_says_what_is_missing_until_nothing_is() -> None:
    missing: list[str] = ["nothing has been compiled yet"]

    def ready() -> str | None:
        return missing[0] if missing else None

    async with serve_probes("127.0.0.1", 0, Metrics(), alive=lambda: None, ready=ready) as port:
        assert await get(port, "/healthz") == (200, "ok")
        assert await get(port, "/readyz") == (503, "nothing has been compiled yet")
        missing.clear()
        assert await get(port, "/readyz") == (200, "ok")


async def test_metrics_are_shown_as_prometheus_reads_them() -> None:
    metrics = Metrics()
    metrics.leader.set(1)
    metrics.problems.labels("RefNotFound", "error").set(3)
    async with serve_probes(
        "127.0.0.1", 0, metrics, alive=lambda: None, ready=lambda: None
    ) as port:
        status, text = await get(port, "/metrics")
    assert status == 200
    assert "penstock_operator_leader 1.0" in text
    assert 'penstock_operator_problems{reason="RefNotFound",severity="error"} 3.0' in text


def test_two_sets_of_metrics_are_independent() -> None:
    first, second = Metrics(), Metrics()
    first.leader.set(1)
    assert b"penstock_operator_leader 0.0" in second.exposition()


@pytest.mark.parametrize("name", ["namespace", "pod", "object"])
def test_no_label_has_unbounded_values(name: str) -> None:
    samples = [s for family in Metrics().registry.collect() for s in family.samples]
    assert all(name not in sample.labels for sample in samples)
