"""Memory of GPUs on nodes that say which product they have, and no more.

As `nvidia-smi` shows it, so a little less than the data sheet says. For nodes with neither GPU
Feature Discovery nor our node agent; cloud providers label theirs with the product.
"""

from collections.abc import Mapping
from typing import Final

PRODUCT_LABELS: Final = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "eks.amazonaws.com/instance-gpu-name",
    "k8s.amazonaws.com/accelerator",
)
MEMORY_LABELS: Final = (
    "nvidia.com/gpu.memory",
    "karpenter.k8s.aws/instance-gpu-memory",
    "eks.amazonaws.com/instance-gpu-memory",
)
"""MiB of one GPU."""
MAX_DIGITS: Final = 9
_DROPPED: Final = ("nvidia-", "tesla-", "geforce-")
_MEMORY_MIB: Final[Mapping[str, int]] = {
    "t4": 15360,
    "l4": 23034,
    "a10": 23028,
    "a10g": 23028,
    "l40s": 46068,
    "p100": 16384,
    "v100": 16384,
    "v100-sxm2-32gb": 32768,
    "a100": 40960,
    "a100-pcie-40gb": 40960,
    "a100-sxm4-40gb": 40960,
    "a100-80gb": 81920,
    "a100-80gb-pcie": 81920,
    "a100-sxm4-80gb": 81920,
    "h100": 81559,
    "h100-80gb": 81559,
    "h100-80gb-hbm3": 81559,
    "h100-pcie": 81559,
    "h200": 143771,
    "h200-141gb": 143771,
    "rtx-3090": 24576,
    "rtx-4070": 12282,
    "rtx-4080": 16376,
    "rtx-4090": 24564,
    "rtx-a6000": 49140,
}
"""Where a short name has several sizes, the least."""


def memory_of(product: str) -> int:
    """MiB; 0 is unknown."""
    plain = product.lower()
    for start in _DROPPED:
        plain = plain.removeprefix(start)
    return _MEMORY_MIB.get(plain, 0)


def said_product(labels: Mapping[str, str]) -> str:
    """Empty is unknown."""
    return next((labels[key] for key in PRODUCT_LABELS if labels.get(key)), "")


def said_memory(labels: Mapping[str, str]) -> int:
    """MiB of one GPU; 0 is unknown."""
    return next((size for key in MEMORY_LABELS if (size := natural(labels.get(key)))), 0)


def natural(value: object) -> int:
    """A whole number of a label or a quantity; 0 for anything else."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) <= MAX_DIGITS else 0
