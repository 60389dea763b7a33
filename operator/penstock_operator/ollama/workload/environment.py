"""Ollama's environment. Meanings as of Ollama 0.33, `envconfig/config.go` and `server/sched.go`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from penstock_operator.api.ollama import Ollama
from penstock_operator.ollama.names import OLLAMA_PORT
from penstock_operator.ollama.one_server import has_common_context
from penstock_operator.ollama.planner.memory import most_together
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.ollama.workload.installation import Document

MODELS_DIRECTORY: Final = "/models"
HOME: Final = "/tmp"  # noqa: S108  # an emptyDir of the container's own
MAX_QUEUE: Final = 64
"""Requests that wait for a model to be loaded; those that wait for a loaded one are not counted.
Sidecars send no more than a replica serves at once, each by what it knows; beyond, 503 sends them
elsewhere."""
LOAD_SECONDS: Final = 600
"""How long a load may make no progress: the first read from a network disk is slow."""
MOST_MODELS: Final = 64
"""As many as a provider can have: memory decides."""
MOST_ON_CPU: Final = 2
"""Of the node's memory one is planned to take a part, and another may be smaller than expected."""


def environment(
    ollama: Ollama, group: Group, needs: Mapping[str, Need], further: Mapping[str, str]
) -> list[Document]:
    """Sorted, by what is planned. Ours win over `further`."""
    values = {**further, **dict(_ours(ollama, group, [needs[name] for name in group.models]))}
    return [{"name": name, "value": value} for name, value in sorted(values.items())]


def _ours(ollama: Ollama, group: Group, needs: Sequence[Need]) -> Iterator[tuple[str, str]]:
    yield "HOME", HOME  # Ollama makes a key there, also where it runs as no user of the image
    yield "OLLAMA_HOST", f"0.0.0.0:{OLLAMA_PORT}"  # Go's wildcard: IPv6 too
    yield "OLLAMA_MODELS", MODELS_DIRECTORY
    yield "OLLAMA_NO_CLOUD", "1"  # else some models' prompts would leave the cluster
    yield "OLLAMA_CONTEXT_LENGTH", str(_context_length(ollama, needs))
    yield "OLLAMA_NUM_PARALLEL", str(max(need.parallel for need in needs))
    yield "OLLAMA_MAX_LOADED_MODELS", str(_most_loaded(ollama, group, needs))
    yield "OLLAMA_KEEP_ALIVE", _keep_alive(ollama.keep_alive_seconds)
    yield "OLLAMA_LOAD_TIMEOUT", f"{LOAD_SECONDS}s"
    yield "OLLAMA_MAX_QUEUE", str(MAX_QUEUE)
    if ollama.storage is not None:
        # At its start a server deletes what no model names: also what another one is pulling
        # into the same volume. The loader deletes what nobody wants.
        yield "OLLAMA_NOPRUNE", "1"
    if sum(group.resources.values()) > 1:
        yield "OLLAMA_SCHED_SPREAD", "1"  # as it was planned; else one GPU is filled first
    if not group.resources:
        # The image asks for all GPUs of the node that it lands on, granted or not.
        yield "NVIDIA_VISIBLE_DEVICES", "void"
        yield "CUDA_VISIBLE_DEVICES", "-1"


def _context_length(ollama: Ollama, needs: Sequence[Need]) -> int:
    """One number for all of a server's models. Its default goes by the GPU's memory, up to 256k.

    Those that have a context of their own, by their recipes, do not raise the others'.
    """
    common = {model.name for model in ollama.models if has_common_context(model)}
    found = [need.context_length for need in needs if need.model in common]
    return max(found or (need.context_length for need in needs))


def _most_loaded(ollama: Ollama, group: Group, needs: Sequence[Need]) -> int:
    """OnDemand: as many as can be in memory at once, and one that is smaller than expected.

    On a shared GPU no more than is planned: the rest of its memory is others'. Where all fit, as
    with Always, a number that followed them would restart a pod for each new model. Nor does it
    follow what is asked for, or what others hold: both come and go.
    """
    if ollama.loading == "Always":
        return MOST_MODELS
    if any(slot.sharing == "TimeSliced" for slot in group.slots):
        return 1
    if ollama.gpu is None or not group.slots:
        return MOST_ON_CPU
    memory_mib, gpus = min(slot.memory_mib for slot in group.slots), sum(group.resources.values())
    together = most_together(needs, gpus, memory_mib, ollama.gpu.headroom_mib)
    return MOST_MODELS if together == len(needs) else together + 1


def _keep_alive(seconds: int | None) -> str:
    """Negative is for ever."""
    return "-1" if seconds is None else f"{seconds}s"
