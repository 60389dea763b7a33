"""The seam between a request's way and whoever serves: one call of one candidate."""

import math
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from penstock_config.classification import Task
from penstock_sidecar.model import Answer, Candidate, Request
from penstock_sidecar.values import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt. `max_output_tokens` is what the hold covers; `None` leaves the caller's own."""

    request: Request
    candidate: Candidate
    max_output_tokens: int | None
    nudge: bool = False
    """Ask with a changed prompt, because the former answer was empty."""
    task: Task = "chat"
    """What the request is about."""
    until: float = math.inf
    """When the first content must be there, of a plain answer the whole, on the loop's clock."""
    tells_time: bool = False
    """The provider is told how long that is, where it has a word for it."""
    address: str = ""
    """A replica's, in place of the provider's own."""
    loads: bool = False
    """It has yet to load the model: how long it takes says nothing of later calls."""


class Upstream(Protocol):
    def call(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """Enter: the answer has begun, and there is content. Leave: the connection is free, closed
        at once if the answer was not complete. Raises `UpstreamError` in both places."""
