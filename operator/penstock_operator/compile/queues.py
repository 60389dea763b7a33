"""Bounds of waiting into the contract's form."""

from penstock_config.queue import Queue
from penstock_operator.api import limits as api


def queue_of(queue: api.Queue | None) -> Queue:
    """Without one nobody waits, and what stands in its place is never looked at."""
    if queue is None:
        return Queue()
    return Queue(max_wait_seconds=queue.max_wait_seconds, max_length=queue.max_length)
