"""When the same candidate is worth another try, and how long to wait for it: pure.

Exponential with full jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from random import Random
from typing import Final

from penstock_config.policy import Retry
from penstock_sidecar.errors import SidecarError

MAX_BACKOFF_SECONDS: Final = 10.0
MAX_RETRY_AFTER_SECONDS: Final = 5.0
"""A provider that asks for more is better left to another candidate."""


def backoff_seconds(
    retry: Retry, failures: int, error: SidecarError, random: Random
) -> float | None:
    """Seconds until the next try, or `None` for no more. `failures` counts this one too.

    Never less than the provider's own `retry_after_seconds`.
    """
    if not error.same_again or failures >= retry.attempts:
        return None
    asked = error.retry_after_seconds or 0.0
    if asked > MAX_RETRY_AFTER_SECONDS:
        return None
    most = min(MAX_BACKOFF_SECONDS, retry.backoff_ms / 1000 * 2.0 ** (failures - 1))
    return asked + random.uniform(0, most)
