"""What sidecars are told of an Ollama that we run: its memory, how models load, how it is woken.

By the estimate that the planner uses too; see `docs/gpu-memory.md`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_config.provider import Managed
from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.ollama import Gpu, Ollama
from penstock_operator.compile.offer import served_models, upstream_name
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem
from penstock_operator.ollama.memory.estimate import BYTES_PER_MIB, need_of
from penstock_operator.ollama.memory.names import tagged
from penstock_operator.ollama.one_server import as_served
from penstock_operator.ollama.planner.types import Need

LOAD_MIB_PER_SECOND: Final = 1024
"""A guess: weights from a local disk to a GPU. NVMe reads two to five times that, a network volume
a fifth. Sidecars need only its order, and measure by themselves from then on."""
LOAD_BASE_SECONDS: Final = 3.0
"""A guess: a runner starts, and makes its CUDA context."""
NOT_RUN: Final = "is no model of spec.ollama.models, so that no replica has it: add it there"


@dataclass(frozen=True, slots=True)
class OnReplica:
    """A model on one replica; `None` is unknown, or, of graphics memory, that it needs none."""

    parallel: int
    vram_bytes: int | None
    load_seconds: float | None


def on_replicas(spec: LLMProviderSpec) -> Mapping[str, OnReplica]:
    """By the name that the provider knows, with its tag."""
    ollama = spec.ollama
    if ollama is None:
        return {}
    needs = _needs(ollama)
    return {
        tagged(model.name): _on_replica(ollama, needs.get(model.name), model.parallel)
        for model in as_served(ollama)
    }


def gpu_memory_bytes(spec: LLMProviderSpec) -> int | None:
    """Of all replicas that are always there, or of one; `None` where it is not known.

    What the author says of a GPU, less its headroom; where all models stay loaded, at least what
    they take together.
    """
    ollama = spec.ollama
    if ollama is None or ollama.gpu is None:
        return None
    gpu, found = ollama.gpu, 0
    if gpu.min_memory_mib is not None:
        found = gpu.count * max(1, gpu.min_memory_mib - gpu.headroom_mib)
    if ollama.loading == "Always":
        found = max(found, sum(need.total_mib(gpu.count) for need in _needs(ollama).values()))
    return _replicas(ollama) * found * BYTES_PER_MIB or None


def managed(spec: LLMProviderSpec) -> Managed | None:
    """`None`: it is not ours to wake."""
    ollama = spec.ollama
    if ollama is None:
        return None
    fewest = ollama.autoscaling.min if ollama.autoscaling else ollama.replicas
    turns = ollama.gpu if ollama.loading == "OnDemand" else None
    return Managed(
        keep_alive_seconds=ollama.keep_alive_seconds,
        on_cold=ollama.autoscaling.on_cold if ollama.autoscaling else "Wait",
        may_be_cold=fewest == 0,
        on_demand=turns is not None,
        memory_bytes=_of_one(turns, turns.min_memory_mib) if turns else None,
        one_at_a_time=turns is not None and turns.sharing == "TimeSliced",
        headroom_bytes=(_of_one(turns, turns.headroom_mib) or 0) if turns else 0,
    )


def managed_warnings(provider: LLMProvider) -> Iterator[Problem]:
    """Models that cannot be planned, and models that nobody runs."""
    ollama = provider.spec.ollama
    if ollama is None:
        return
    ref = ref_of(provider)
    for index, model in enumerate(ollama.models if ollama.gpu else ()):
        if isinstance(why := need_of(model), str):
            path = f"spec.ollama.models[{index}]"
            yield Problem(ref, "Enforced", "SizeUnknown", why, "warning", path)
    run = {tagged(model.name) for model in ollama.models}
    for index, served in enumerate(served_models(provider.spec)):
        if tagged(upstream_name(served)) not in run:
            path = f"spec.models[{index}]"
            yield Problem(ref, "ResolvedRefs", "ModelNotFound", NOT_RUN, "warning", path)


def _on_replica(ollama: Ollama, need: Need | None, parallel: int) -> OnReplica:
    if need is None:
        return OnReplica(parallel, None, None)
    seconds = round(LOAD_BASE_SECONDS + need.weights_mib / LOAD_MIB_PER_SECOND, 1)
    gpus = ollama.gpu.count if ollama.gpu else 0
    vram = need.total_mib(gpus) * BYTES_PER_MIB if gpus else None
    return OnReplica(parallel, vram, seconds)


def _needs(ollama: Ollama) -> Mapping[str, Need]:
    """Of those models whose need is known."""
    found = {model.name: need_of(model) for model in as_served(ollama)}
    return {name: need for name, need in found.items() if isinstance(need, Need)}


def _of_one(gpu: Gpu, mib: int | None) -> int | None:
    """Of one replica, what is said of each of its GPUs."""
    return None if mib is None else gpu.count * mib * BYTES_PER_MIB


def _replicas(ollama: Ollama) -> int:
    wanted = ollama.autoscaling.min if ollama.autoscaling else ollama.replicas
    return 1 if wanted is None else max(1, wanted)
