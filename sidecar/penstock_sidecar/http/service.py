"""What the edge needs of the rest: stated here, implemented by runtime, holder and telemetry."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from penstock_sidecar.model import Reply, Request
from penstock_sidecar.routing.offers import Offer


class Service(Protocol):
    """One configuration at work."""

    async def serve(self, request: Request, reply: Reply) -> None:
        """Answers by `reply`, or raises a `SidecarError`, before or after the reply's start."""

    def models(self) -> tuple[tuple[str, str], ...]:
        """(id, owner) of all that may be asked for."""

    def offers(self) -> tuple[Offer, ...]:
        """The same, with what can be had by each name."""


Services = Callable[[], AbstractAsyncContextManager[Service]]
"""The current service, alive while in use; raises `ConfigurationMissing` while there is none."""


class Refusals(Protocol):
    """Hears of every error that a caller is told, by its `error_type`."""

    def error_answered(self, error_type: str) -> None: ...
