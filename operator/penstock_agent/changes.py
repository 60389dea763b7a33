"""Whether a reading is worth a write: pure."""

from collections.abc import Hashable, Iterator
from datetime import timedelta
from typing import Final

from penstock_operator.ollama.gpus import GpuReading, NodeGpus

PERIOD: Final = timedelta(seconds=30)
"""So that readers, who believe a reading for 90 s, may miss two."""
MOVED_SHARE: Final = 0.05
"""Of a memory's size."""


def worth_writing(written: NodeGpus | None, found: NodeGpus) -> bool:
    """Whether readers would decide otherwise, or would soon take what is written for stale."""
    if written is None:
        return True
    if written == found:
        return False
    return (
        abs(found.observed_at - written.observed_at) >= PERIOD
        or _shape(written) != _shape(found)
        or _moved(written, found)
    )


def _shape(found: NodeGpus) -> Hashable:
    """What changes seldom, each time with consequences."""
    gpus = tuple((gpu.index, gpu.uuid, gpu.product, gpu.memory_mib) for gpu in found.gpus)
    parts = tuple(
        (gpu.mig_enabled, tuple((each.uuid, each.profile, each.memory_mib) for each in gpu.mig))
        for gpu in found.gpus
    )
    return found.node, found.driver, found.message, gpus, parts


def _moved(written: NodeGpus, found: NodeGpus) -> bool:
    """Of two readings of one shape, whether somewhere much memory was taken or given back."""
    before, after = _used(written), _used(found)
    return any(
        abs(used - was) >= MOVED_SHARE * size
        for (size, was), (_, used) in zip(before, after, strict=True)
        if size
    )


def _used(found: NodeGpus) -> Iterator[tuple[int, int]]:
    """Size and used MiB of each memory, in order."""
    for gpu in found.gpus:
        yield from _memories(gpu)


def _memories(gpu: GpuReading) -> Iterator[tuple[int, int]]:
    yield gpu.memory_mib, gpu.used_mib
    yield from ((each.memory_mib, each.used_mib) for each in gpu.mig)
