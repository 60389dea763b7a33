"""The HTTP clients of providers. Those that are reached alike share one, over configurations."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from pydantic import SecretStr

from penstock_sidecar.trust import client_context

USER_AGENT: Final = f"penstock/{importlib.metadata.version('penstock')}"
KEEPALIVE_SECONDS: Final = 30.0
DNS_SECONDS: Final = 30
READ_BUFFER_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """How a provider is reached. Without `ca_pem` the machine's authorities are trusted."""

    ca_pem: str | None = None
    proxy_url: str | None = None
    proxy_login: SecretStr | None = None
    """`<user>:<password>`."""


DIRECT: Final = Route()


def open_session(route: Route = DIRECT) -> aiohttp.ClientSession:
    """No cookies, no proxies from the environment, no decompression: a provider's bytes are read
    as they are, and nobody asked for others. The pool has no bound of its own: the sidecar's
    `max_in_flight` is one already. Raises `BadAuthorities`."""
    connector = aiohttp.TCPConnector(
        limit=0,
        keepalive_timeout=KEEPALIVE_SECONDS,
        ttl_dns_cache=DNS_SECONDS,
        ssl=client_context(route.ca_pem),
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        proxy=route.proxy_url,
        read_bufsize=READ_BUFFER_BYTES,
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )


def proxy_headers(route: Route) -> Mapping[str, str] | None:
    """What the proxy is told with each request, if it asks; it goes no further."""
    if route.proxy_login is None:
        return None
    user, _, password = route.proxy_login.get_secret_value().partition(":")
    return {"Proxy-Authorization": aiohttp.encode_basic_auth(user, password)}
