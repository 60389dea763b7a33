"""Who may knock at a loopback port. Being on the same machine is not enough: web pages are too.

A page can aim its own host name at 127.0.0.1 (DNS rebinding), which the Host header shows. And it
can send, unasked, what needs no CORS preflight; no answer here ever allows another origin.
"""

from typing import Final

from aiohttp import web

from penstock_sidecar.errors import StrangerRefused

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
PREFLIGHTED: Final = "application/json"


def only_loopback_names(request: web.BaseRequest) -> None:
    """Refuses a Host that is not loopback. A client without one (HTTP/1.0) is no browser."""
    host = request.headers.get("Host")
    if host is not None and _without_port(host).lower() not in LOOPBACK_NAMES:
        raise StrangerRefused(
            "Only localhost, 127.0.0.1 and [::1] are served here: use one of them"
        )


def no_unasked_pages(request: web.BaseRequest) -> None:
    """Refuses what a page of another origin could send without asking first.

    Servers that pass a browser's headers on send JSON, which a page could not without a preflight.
    """
    if "Origin" in request.headers and not _is_json(request):
        raise StrangerRefused("Requests with an Origin must be application/json")


def no_pages(request: web.BaseRequest) -> None:
    """Refuses every request of a web page."""
    if "Origin" in request.headers:
        raise StrangerRefused("Web pages are not served here")


def _is_json(request: web.BaseRequest) -> bool:
    return request.method in {"GET", "HEAD", "OPTIONS"} or request.content_type == PREFLIGHTED


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
