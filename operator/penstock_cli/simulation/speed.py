"""How long a GPU computes: a roofline with two roofs, measured against published figures.

Decoding reads all weights for each token of each step, so memory's bandwidth bounds it; requests
of one batch share that reading, and each adds its own arithmetic and its own key-value cache.
Reading a prompt is bound by arithmetic. docs/gpu-simulation.md compares with what others measured.
"""

import math
from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
STEP_SECONDS: Final = 0.0015
"""A step's cost without size: kernel launches, sampling. From tokens/s of one model on GPUs of
different bandwidths (github.com/XiongjieDai/GPU-Benchmarks-on-LLM-Inference)."""
PREFILL_SHARE: Final = 0.30
"""Of a data sheet's FP16 arithmetic, what reading prompts reaches. Same source: 0.23 to 0.45."""
DECODE_SHARE: Final = 0.10
"""Of it, what the small batches of decoding reach. From batches of 2 to 16 on an RTX 3090
(ggml-org/llama.cpp#17505), where it was 0.16."""
KV_FILLED: Final = 0.5
"""Of a request's context, how much is filled on average while it decodes. A guess."""


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU, or a partition of one: what can hold models and compute."""

    name: str
    """`<node>/<index>`, or `<node>/<index>.<partition>`."""
    node: str
    product: str
    memory_mib: int
    bytes_per_second: float
    """Of memory, as far as decoding reaches it."""
    flops: float
    """FP16, of the data sheet."""
    load_bytes_per_second: float
    start_seconds: float
    usd_per_hour: float = 0.0
    weight: float = 1.0
    """Of a whole GPU: partitions of one count for one together."""
    profile: str = ""
    """Of a partition, such as `3g.20gb`."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a model asks of a device."""

    name: str
    parameters: float
    """That are in use for a token."""
    weights_mib: int
    """That have to be loaded."""
    kv_mib: float
    """Of one request with a full context."""
    total_mib: int
    """Of memory, with all parallel requests."""
    parallel: int
    context_tokens: int
    read_share: float = 1.0
    """Of the weights, what a token reads; below 1 for a mixture of experts."""


def load_seconds(device: Device, load: Load) -> float:
    return device.start_seconds + load.weights_mib * MIB / device.load_bytes_per_second


def prefill_seconds(device: Device, load: Load, tokens: int) -> float:
    """Of the device alone."""
    return 2 * load.parameters * tokens / (device.flops * PREFILL_SHARE)


def step_seconds(device: Device, load: Load, batch: int) -> float:
    """Of the device alone, for one more token of each request in the batch."""
    read = min(1.0, load.read_share * batch) * load.weights_mib
    moved = (read + batch * load.kv_mib * KV_FILLED) * MIB / device.bytes_per_second
    return STEP_SECONDS + moved + batch * 2 * load.parameters / (device.flops * DECODE_SHARE)


def alone_seconds(device: Device, load: Load, prompt_tokens: int, output_tokens: int) -> float:
    """From the first to the last token when nothing else is computed."""
    decoding = math.ceil(output_tokens) * step_seconds(device, load, 1)
    return prefill_seconds(device, load, prompt_tokens) + decoding
