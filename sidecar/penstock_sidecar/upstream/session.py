"""The HTTP client that all providers share; it outlives every configuration."""

import importlib.metadata
from typing import Final

import aiohttp

USER_AGENT: Final = f"penstock/{importlib.metadata.version('penstock')}"
KEEPALIVE_SECONDS: Final = 30.0
DNS_SECONDS: Final = 30
READ_BUFFER_BYTES: Final = 64 * 1024


def open_session() -> aiohttp.ClientSession:
    """No cookies, no proxies from the environment, no decompression: a provider's bytes are read
    as they are, and nobody asked for others. The pool has no bound of its own: the sidecar's
    `max_in_flight` is one already."""
    connector = aiohttp.TCPConnector(
        limit=0, keepalive_timeout=KEEPALIVE_SECONDS, ttl_dns_cache=DNS_SECONDS
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        read_bufsize=READ_BUFFER_BYTES,
        timeout=aiohttp.ClientTimeout(total=None),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    )
