"""One call of a Budget's webhook: POST of JSON to the URL that a Secret holds, and nowhere else.

No redirect is followed, no proxy, cookie or answer is used, and nothing on this machine, its link,
or behind a metadata service's address is called, whatever a name leads to (`GuardedResolver`). The
URL may hold a token: no text of ours holds any of it.
"""

import ipaddress
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

TOTAL_SECONDS: Final = 10
CONNECT_SECONDS: Final = 5
TRY_AGAIN: Final = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


class CallFailed(Exception):
    """It was not delivered. The text holds neither URL nor answer."""


class CallRefused(CallFailed):
    """Nor will it be by trying again."""


class ForbiddenAddress(OSError):
    """A name leads to where nothing is called."""


class GuardedResolver(AbstractResolver):
    """Names to addresses, less those that are nobody's business."""

    def __init__(self, *, loopback: bool) -> None:
        self._inner = aiohttp.ThreadedResolver()
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if any(is_forbidden(each["host"], loopback=self._loopback) for each in found):
            msg = "an address that is not called"
            raise ForbiddenAddress(msg)
        return found

    async def close(self) -> None:
        await self._inner.close()


def is_forbidden(text: str, *, loopback: bool) -> bool:
    """Of an address; a name is not, what it leads to is looked at when it is resolved."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    address = getattr(found, "ipv4_mapped", None) or found
    if address.is_loopback:
        return not loopback
    return address.is_link_local or address.is_multicast or address.is_unspecified


@asynccontextmanager
async def session(*, loopback: bool) -> AsyncIterator[aiohttp.ClientSession]:
    """For `call`. `loopback`: whether this machine may be called."""
    connector = aiohttp.TCPConnector(resolver=GuardedResolver(loopback=loopback), limit=16)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as made:
        yield made


async def call(
    client: aiohttp.ClientSession, url: str, payload: Mapping[str, Any], key: str, *, loopback: bool
) -> None:
    """Returns once it was taken (2xx); `CallRefused` where trying again is no use."""
    target = _target(url)
    if is_forbidden(target.host or "", loopback=loopback):
        msg = "the URL leads to an address that is not called: give another"
        raise CallRefused(msg)
    headers = {"Idempotency-Key": key, "User-Agent": "penstock-operator"}
    try:
        async with client.post(
            target, json=payload, headers=headers, allow_redirects=False
        ) as answer:
            _judge(answer.status)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        msg = f"no answer: {type(error).__name__}"
        raise CallFailed(msg) from None  # its text may hold the URL


def _target(url: str) -> URL:
    """Read by the client's own parser: to another, one text may be another host's."""
    try:
        found = URL(url)
        if found.scheme in ("http", "https") and found.host and found.port != 0:
            return found
    except ValueError:
        pass
    msg = "what the Secret holds is no URL such as https://hooks.example.com/budget"
    raise CallFailed(msg)


def _judge(status: int) -> None:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in TRY_AGAIN:
        redirect = status < HTTPStatus.BAD_REQUEST
        hint = ": redirects are not followed, give the address itself" if redirect else ""
        msg = f"it answered {status}{hint}"
        raise CallRefused(msg)
    msg = f"it answered {status}"
    raise CallFailed(msg)
