"""The chapters of the demo, in their order."""

from typing import Final

from penstock_cli.demo.holding import budget, limit
from penstock_cli.demo.serving import cache, fallback, route, stream
from penstock_cli.demo.story import Chapter

CHAPTERS: Final = (
    Chapter("route", "A routed answer", route),
    Chapter("cache", "A cache hit, from the other pod's answer", cache),
    Chapter("stream", "A streamed answer", stream),
    Chapter("fallback", "A fallback from a failing provider", fallback),
    Chapter("budget", "A budget that stops", budget),
    Chapter("limit", "A limit that holds over both pods", limit),
)
