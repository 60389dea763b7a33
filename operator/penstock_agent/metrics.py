"""The agent's figures, made of the last reading when Prometheus asks: what is gone has none."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from penstock_operator.ollama.gpus import GpuReading, MigInstance, NodeGpus

BYTES_PER_MIB: Final = 1024 * 1024
GPU_LABELS: Final = ("node", "gpu", "uuid", "product")
MIG_LABELS: Final = (*GPU_LABELS, "mig_uuid", "profile")
Figure = Callable[[GpuReading], float | None]
MigFigure = Callable[[MigInstance], float]

GPU_FIGURES: Final[tuple[tuple[str, str, Figure], ...]] = (
    ("memory_total_bytes", "Memory of a GPU.", lambda g: g.memory_mib * BYTES_PER_MIB),
    (
        "memory_used_bytes",
        "Memory that is not free, what the driver keeps for itself included.",
        lambda g: g.used_mib * BYTES_PER_MIB,
    ),
    (
        "memory_free_bytes",
        "Memory that may still be taken.",
        lambda g: (g.memory_mib - g.used_mib) * BYTES_PER_MIB,
    ),
    (
        "utilisation_ratio",
        "Share of the last moments in which the GPU worked.",
        lambda g: None if g.utilisation_percent is None else g.utilisation_percent / 100,
    ),
    ("temperature_celsius", "Of the GPU's core.", lambda g: g.temperature_celsius),
    ("power_watts", "What the board draws.", lambda g: g.power_watts),
    ("mig_enabled", "1 where the GPU is partitioned.", lambda g: float(g.mig_enabled)),
    (
        "processes",
        "Processes that hold memory of the GPU, 16 at most; some drivers tell of none without"
        " agent.hostPID.",
        lambda g: len(g.processes),
    ),
)
MIG_FIGURES: Final[tuple[tuple[str, str, MigFigure], ...]] = (
    (
        "mig_memory_total_bytes",
        "Memory of a MIG instance.",
        lambda each: each.memory_mib * BYTES_PER_MIB,
    ),
    (
        "mig_memory_used_bytes",
        "Memory of a MIG instance that is not free.",
        lambda each: each.used_mib * BYTES_PER_MIB,
    ),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known when Prometheus asks."""

    known: NodeGpus | None
    answers: bool
    """Where not, figures of GPUs are left out: old ones would look like new ones."""
    age_seconds: float


class Metrics:
    """One per process."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, read: Callable[[], Reading]) -> None:
        self.registry = CollectorRegistry()
        self.writes = Counter(
            "penstock_agent_writes",
            "Writes of the node's ConfigMap, by how they ended: ok, failed.",
            ["result"],
            registry=self.registry,
        )
        for result in ("ok", "failed"):
            self.writes.labels(result)
        self.registry.register(_Gpus(read))

    def exposition(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)


class _Gpus(Collector):
    def __init__(self, read: Callable[[], Reading]) -> None:
        self._read = read

    def collect(self) -> Iterator[Metric]:
        reading = self._read()
        known = reading.known if reading.answers else None
        yield GaugeMetricFamily(
            "penstock_agent_up",
            "1 while NVML answers, and its driver works.",
            value=float(reading.answers),
        )
        yield GaugeMetricFamily(
            "penstock_agent_reading_age_seconds",
            "Since NVML last answered.",
            value=reading.age_seconds,
        )
        yield _info(known)
        yield GaugeMetricFamily(
            "penstock_agent_gpus",
            "GPUs that could be read.",
            value=len(known.gpus) if known else 0,
        )
        yield from _of_gpus(known)
        yield from _of_instances(known)


def _info(known: NodeGpus | None) -> Metric:
    family = GaugeMetricFamily(
        "penstock_agent_driver_info", "Version of the node's driver.", labels=["node", "version"]
    )
    if known is not None and known.driver is not None:
        family.add_metric([known.node, known.driver], 1)
    return family


def _of_gpus(known: NodeGpus | None) -> Iterator[Metric]:
    for name, text, figure in GPU_FIGURES:
        family = GaugeMetricFamily(f"penstock_gpu_{name}", text, labels=GPU_LABELS)
        for gpu in known.gpus if known else ():
            value = figure(gpu)
            if known is not None and value is not None:
                family.add_metric(_labels(known.node, gpu), value)
        yield family


def _of_instances(known: NodeGpus | None) -> Iterator[Metric]:
    for name, text, figure in MIG_FIGURES:
        family = GaugeMetricFamily(f"penstock_gpu_{name}", text, labels=MIG_LABELS)
        for labels, each in _instances(known):
            family.add_metric([*labels, each.uuid, each.profile], figure(each))
        yield family


def _instances(known: NodeGpus | None) -> Iterable[tuple[list[str], MigInstance]]:
    if known is None:
        return ()
    return ((_labels(known.node, gpu), each) for gpu in known.gpus for each in gpu.mig)


def _labels(node: str, gpu: GpuReading) -> list[str]:
    return [node, str(gpu.index), gpu.uuid, gpu.product]
