"""4143, on loopback: drain before the pod ends, end, and look at what is loaded."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from penstock_config.schema import SidecarConfig
from penstock_sidecar.errors import ConfigurationMissing, MalformedRequest
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.probes import json_response
from penstock_sidecar.model import JsonObject

REDACTED: Final = "redacted"
USER_INFO = re.compile(r"//[^/@]*@")


@dataclass(frozen=True, slots=True)
class Admin:
    """The handlers of the admin port."""

    load: Load
    drain_seconds: float
    config: Callable[[], SidecarConfig | None]
    state: Callable[[], JsonObject]
    end: Callable[[], None]
    """Lets the process drain and end; returns at once."""

    def routes(self) -> Routes:
        return {
            ("POST", "/drain"): self.drain,
            ("POST", "/quit"): self.quit,
            ("GET", "/debug/config"): self.debug_config,
            ("GET", "/debug/state"): self.debug_state,
        }

    async def drain(self, request: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        """Not ready from now on. Answers when nothing is in flight, or the time is over; late
        requests are served all the same, because the application may outlive its endpoints.
        `?quiet_seconds=3`: only after nobody came for so long."""
        await self.load.drain(self.drain_seconds, _seconds(request.query.get("quiet_seconds", "0")))
        left = self.load.in_flight
        return json_response({"drained": left == 0, "in_flight": left})

    async def quit(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        """Ends the process with success: for Jobs, whose pods end when every container has."""
        self.end()
        return json_response({"quitting": True, "in_flight": self.load.in_flight}, status=202)

    async def debug_config(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        config = self.config()
        if config is None:
            raise ConfigurationMissing("No configuration is loaded; /debug/state says why")
        return json_response(redact(config))

    async def debug_state(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        return json_response(self.state())


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < math.inf:
        raise MalformedRequest("quiet_seconds must be a number of seconds")
    return seconds


def redact(config: SidecarConfig) -> dict[str, Any]:
    """The configuration for people's eyes. It should hold no secret; somebody may yet have put one
    into a header or an address."""
    document = config.model_dump(mode="json", exclude_defaults=True)
    for provider in document.get("providers", ()):
        provider["base_url"] = USER_INFO.sub(f"//{REDACTED}@", provider["base_url"])
        if "headers" in provider:
            provider["headers"] = dict.fromkeys(provider["headers"], REDACTED)
    return document
