"""What a managed provider wants run, as the planner is asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from penstock_operator.api import ollama as api
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.ollama.memory.estimate import need_of
from penstock_operator.ollama.one_server import as_served
from penstock_operator.ollama.planner.types import GpuWish, Need, Toleration, Wish

ON_CPU: Final = Need("", weights_mib=0, kv_mib=0, overhead_mib=0)
"""Of a model that runs on CPU and whose size nobody knows: nothing is planned with it."""


@dataclass(frozen=True, slots=True)
class Wished:
    """A wish, and what could not be put into it."""

    wish: Wish | None
    """`None`: no model's size is known."""
    unknown: Mapping[str, str]
    """By model: why its size is not known, and what to set."""


def wished(
    provider: LLMProvider,
    replicas: int,
    priority: int = 0,
    demand: Mapping[str, float] | None = None,
) -> Wished:
    """Of a provider with `spec.ollama`. `demand`: by model, how much it is asked for."""
    ollama = provider.spec.ollama
    if ollama is None:
        return Wished(None, {})
    needs, unknown = _needs(ollama, demand or {})
    if not needs:
        return Wished(None, unknown)
    wish = Wish(
        provider=provider.id,
        needs=needs,
        replicas=replicas,
        gpu=_gpu(ollama.gpu) if ollama.gpu else None,
        loading=ollama.loading,
        priority=priority,
        tolerations=tuple(map(_toleration, ollama.tolerations)),
        node_selector=dict(ollama.node_selector),
    )
    return Wished(wish, unknown)


def _needs(
    ollama: api.Ollama, demand: Mapping[str, float]
) -> tuple[tuple[Need, ...], dict[str, str]]:
    needs, unknown = [], {}
    for model in as_served(ollama):
        found = need_of(model)
        if isinstance(found, str) and ollama.gpu is None:
            found = replace(
                ON_CPU,
                model=model.name,
                parallel=model.parallel,
                context_length=model.context_length,
            )
        if isinstance(found, str):
            unknown[model.name] = found
        else:
            needs.append(replace(found, demand=demand.get(model.name, 0.0)))
    return tuple(needs), unknown


def _gpu(gpu: api.Gpu) -> GpuWish:
    return GpuWish(
        count=gpu.count,
        products=gpu.products,
        min_memory_mib=gpu.min_memory_mib or 0,
        headroom_mib=gpu.headroom_mib,
        sharing=gpu.sharing,
        cpu_fallback=gpu.cpu_fallback,
    )


def _toleration(said: api.Toleration) -> Toleration:
    return Toleration(said.key, said.operator, said.value or "", said.effect)
