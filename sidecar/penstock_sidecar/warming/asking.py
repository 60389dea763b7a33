"""Asks for answers that nobody waits for, as a request of the application's own."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.priority import HEADER as PRIORITY
from penstock_sidecar.model import Reply, Request
from penstock_sidecar.renewal import Unheard

Serve = Callable[[Request, Reply], Awaitable[None]]

MOST_SECONDS: Final = 240.0
"""Of one request."""
ID_BYTES: Final = 16


class Asking:
    """Knows which requests are its own: nobody asked for those."""

    def __init__(self) -> None:
        self._own: set[str] = set()

    def owns(self, request: Request) -> bool:
        return request.call_id in self._own

    async def ask(self, request: Request, serve: Serve) -> bool:
        """At low priority, by the request's whole way: limits, budgets and telemetry count it, and
        what is kept is not asked for again. False where it was refused or failed."""
        own = replace(
            request,
            call_id=secrets.token_hex(ID_BYTES),
            headers={**request.headers, PRIORITY: "low"},
        )
        self._own.add(own.call_id)
        try:
            # Telemetry hears of the error as of any request's.
            with contextlib.suppress(SidecarError, TimeoutError):
                async with asyncio.timeout(MOST_SECONDS):
                    await serve(own, Unheard())
                return True
            return False
        finally:
            self._own.discard(own.call_id)
