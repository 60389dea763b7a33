"""From a scenario to devices and loads: what there is to compute on, and what models ask of it."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_cli.failure import WrongUsage
from penstock_cli.simulation.scenario import (
    ManagedProvider,
    ServedModel,
    SimulatedGpu,
    SimulatedNode,
    Specification,
)
from penstock_cli.simulation.speed import Device, Load
from penstock_operator.api.ollama import Ollama
from penstock_operator.ollama.memory.estimate import need_of
from penstock_operator.ollama.memory.known import find_known
from penstock_operator.ollama.memory.names import parameters_of, said_by
from penstock_operator.ollama.one_server import as_served
from penstock_operator.ollama.planner.types import Need

GIGA: Final = 1e9


def devices_of(spec: Specification) -> tuple[Device, ...]:
    """Each GPU, or its partitions in its place."""
    return tuple(device for node in spec.nodes for device in _of_node(node))


def headroom_mib_of(spec: Specification) -> int:
    """Of every GPU, for every plan: the most that a provider wants."""
    return max(provider.gpu.headroom_mib for provider in spec.providers)


def loads_of(spec: Specification, parallel: int | None = None) -> Mapping[str, Load]:
    """By model; with `parallel` for all of them, or as one Ollama serves its provider's models."""
    if parallel is None:
        served = (model for provider in spec.providers for model in served_by(provider))
    else:
        served = (model.model_copy(update={"parallel": parallel}) for model in spec.models)
    return {model.name: load_of(model) for model in served}


def served_by(provider: ManagedProvider) -> tuple[ServedModel, ...]:
    """The models with what they really get."""
    numbers = as_served(Ollama(models=provider.models))
    return tuple(
        model.model_copy(update={"parallel": got.parallel, "context_length": got.context_length})
        for model, got in zip(provider.models, numbers, strict=True)
    )


def load_of(model: ServedModel) -> Load:
    """Raises `WrongUsage` where its size or parameters cannot be known."""
    need = needed_by(model)
    parameters = _parameters_of(model)
    active = model.active_billions * GIGA if model.active_billions else parameters
    return Load(
        name=model.name,
        parameters=active,
        weights_mib=need.weights_mib,
        kv_mib=need.kv_mib / need.parallel,
        total_mib=need.total_mib(),
        parallel=need.parallel,
        context_tokens=need.context_length,
        read_share=min(1.0, active / parameters),
    )


def needed_by(model: ServedModel) -> Need:
    need = need_of(model)
    if isinstance(need, str):
        msg = f"model {model.name} {need}"
        raise WrongUsage(msg)
    return need


def _parameters_of(model: ServedModel) -> float:
    if model.parameter_count:
        return parameters_of(model.parameter_count)
    said = said_by(model.name)
    known = find_known(said)
    parameters = known.model.parameters if known else said.parameters
    if parameters is None:
        msg = f"model {model.name} says nothing of its parameters: set parameterCount (such as 8B)"
        raise WrongUsage(msg)
    return parameters


def _of_node(node: SimulatedNode) -> Iterator[Device]:
    gpus = (gpu for gpu in node.gpus for _ in range(gpu.count))
    for index, gpu in enumerate(gpus):
        yield from _of_gpu(node, gpu, f"{node.name}/{index}")


def _of_gpu(node: SimulatedNode, gpu: SimulatedGpu, name: str) -> Iterator[Device]:
    bandwidth = gpu.bandwidth_gbs * gpu.bandwidth_share * GIGA
    parts = [profile for profile in gpu.mig for _ in range(profile.count)]
    if not parts:
        yield Device(
            name=name,
            node=node.name,
            product=gpu.product,
            memory_mib=gpu.memory_mib,
            bytes_per_second=bandwidth,
            flops=gpu.tflops * 1e12,
            load_bytes_per_second=node.load_gbs * GIGA,
            start_seconds=node.start_seconds,
            usd_per_hour=float(gpu.usd_per_hour),
        )
    for number, part in enumerate(parts):
        yield Device(
            name=f"{name}.{number}",
            node=node.name,
            product=f"{gpu.product}-MIG-{part.profile}",
            memory_mib=part.memory_mib,
            bytes_per_second=bandwidth * part.bandwidth_share,
            flops=gpu.tflops * 1e12 * part.tflops_share,
            load_bytes_per_second=node.load_gbs * GIGA,
            start_seconds=node.start_seconds,
            usd_per_hour=float(gpu.usd_per_hour) / len(parts),
            weight=1 / len(parts),
            profile=part.profile,
        )
