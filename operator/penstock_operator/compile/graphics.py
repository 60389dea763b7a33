"""Graphics memory of an Ollama of one's own, as its author says: what bounds ensembles on it.

Of models whose size is not said nothing is counted; a context's part is within `headroomMiB`.
"""

from collections.abc import Mapping
from typing import Final

from penstock_operator.api.llm_provider import LLMProviderSpec
from penstock_operator.api.ollama import Ollama

BYTES_PER_MIB: Final = 1024 * 1024


def vram_bytes(spec: LLMProviderSpec) -> Mapping[str, int]:
    """What models take while they are loaded, by the name that the provider knows."""
    models = spec.ollama.models if spec.ollama else ()
    return {m.name: m.size_mib * BYTES_PER_MIB for m in models if m.size_mib is not None}


def gpu_memory_bytes(spec: LLMProviderSpec) -> int | None:
    """Of all replicas that are always there, or of one; `None` where it is not said."""
    gpu = spec.ollama.gpu if spec.ollama else None
    if spec.ollama is None or gpu is None or gpu.min_memory_mib is None:
        return None
    planned_mib = max(1, gpu.min_memory_mib - gpu.headroom_mib)
    return _replicas(spec.ollama) * gpu.count * planned_mib * BYTES_PER_MIB


def _replicas(ollama: Ollama) -> int:
    wanted = ollama.autoscaling.min if ollama.autoscaling else ollama.replicas
    return 1 if wanted is None else max(1, wanted)
