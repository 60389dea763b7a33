"""One provider's address: sends a body there and hands back what comes in, or says why not."""

import asyncio
import io
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from penstock_config.provider import Provider
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import (
    UpstreamConnectTimeout,
    UpstreamConnectTooLate,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamLost,
    UpstreamMisconfigured,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from penstock_sidecar.upstream.deadlines import CLOCK_SECONDS, Deadlines
from penstock_sidecar.upstream.entra import Token
from penstock_sidecar.upstream.incoming import MAX_ANSWER_BYTES, Incoming
from penstock_sidecar.upstream.keys import KeyRing
from penstock_sidecar.upstream.redaction import Redactor
from penstock_sidecar.upstream.refusal import Refusals
from penstock_sidecar.upstream.session import USER_AGENT
from penstock_sidecar.values import dataclass

REJECTED_SECONDS: Final = 60.0
"""How long a key rests that the provider did not accept."""
LIMITED_SECONDS: Final = 10.0
"""The same for one at its rate limit, where the provider does not say how long."""
CONNECT_SHARE: Final = 0.9
"""Of the time until the answer: who connects later cannot answer any more."""
MAX_ERROR_BYTES: Final = 64 * 1024
MAX_URLS: Final = 4_096
"""Remembered for one key; more are made anew."""
MAX_PLAIN_WRITE_BYTES: Final = 64 * 1024
"""Larger bodies go out in pieces, so that the loop can turn meanwhile."""


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """Where calls go with one key. Never printed: the key is in here."""

    base: str
    query: Mapping[str, str]
    headers: CIMultiDict[str]
    _urls: dict[str, URL] = field(default_factory=dict)

    def url(self, path: str, address: str = "") -> URL:
        """Paths are as many as a provider has models and APIs; addresses come and go."""
        text = (address or self.base) + path
        if text not in self._urls:
            if len(self._urls) >= MAX_URLS:
                self._urls.clear()
            self._urls[text] = URL(text).update_query(self.query)
        return self._urls[text]

    def with_headers(self, added: Mapping[str, str], bearer: str | None) -> CIMultiDict[str]:
        if not added and bearer is None:
            return self.headers
        headers = self.headers.copy()
        headers.update(added)
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        return headers


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """One request. `label` names the candidate in errors; `path` is below the provider's address.
    `headers` are those of the caller's that this provider may see, and win over the configured."""

    path: str
    body: bytes
    label: str
    stream: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    max_answer_bytes: int = MAX_ANSWER_BYTES
    until: float = math.inf
    """When the first content must be there, on the loop's clock."""
    address: str = ""
    """In place of the provider's own."""


@dataclass(frozen=True, slots=True, repr=False)
class Outlet:
    """The client of a provider's route, and what its proxy is told."""

    session: aiohttp.ClientSession
    proxy_headers: Mapping[str, str] | None = None


class Wire:
    """POST to one provider. All that does not depend on the call is made here."""

    def __init__(
        self,
        provider: Provider,
        keys: Sequence[str],
        outlet: Outlet,
        clock: Clock,
        token: Token | None = None,
    ) -> None:
        self._provider = provider
        self._outlet = outlet
        self._clock = clock
        self._token = token
        self.refusals = Refusals(Redactor(keys))
        usable: Sequence[str | None] = keys or ([] if provider.needs_key else [None])
        said = outlet.proxy_headers if provider.base_url.startswith("http://") else None
        self._ring = KeyRing([_destination(provider, key, said or {}) for key in usable], clock)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=provider.timeouts.connect_seconds)

    @asynccontextmanager
    async def post(self, letter: Letter) -> AsyncIterator[Incoming]:
        """Enter: status 200 and headers are there. Leave: an unfinished response is closed."""
        loop = asyncio.get_running_loop()
        label = letter.label
        deadlines = Deadlines(
            self._provider.timeouts, loop.time(), stream=letter.stream, until=letter.until
        )
        response = await self._accepted(letter, deadlines)
        incoming = Incoming(response, deadlines, label, letter.max_answer_bytes)
        try:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                msg = f"{label} compresses its answers although nobody asked for that"
                raise UpstreamMisconfigured(msg)
            yield incoming
        finally:
            incoming.close()

    async def _accepted(self, letter: Letter, deadlines: Deadlines) -> aiohttp.ClientResponse:
        """With the first key that is neither turned away nor at its limit."""
        label = letter.label
        rejected: UpstreamError = UpstreamCredentials(f"no key is configured for {label}")
        for position, destination in self._ring.candidates():
            bearer = await self._bearer(label, deadlines)
            response = await self._send(destination, letter, bearer, deadlines)
            if response.status == 200:  # noqa: PLR2004  # HTTP's OK
                return response
            error = await self._failure(response, label, deadlines)
            match error:
                case UpstreamLimited(retry_after_seconds=seconds):
                    self._ring.pause(position, LIMITED_SECONDS if seconds is None else seconds)
                case UpstreamCredentials():
                    self._ring.pause(position, REJECTED_SECONDS)
                    if self._token and bearer:
                        self._token.rejected(bearer)
                case _:
                    raise error
            rejected = _sooner(rejected, error)
        raise rejected

    async def _bearer(self, label: str, deadlines: Deadlines) -> str | None:
        """A token in place of a key, for a provider that wants one."""
        if self._token is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(deadlines.due(loop.time())):
                return await self._token.current(label)
        except TimeoutError:
            raise UpstreamCredentials(f"no token came in time for {label}") from None

    async def _send(
        self, destination: Destination, letter: Letter, bearer: str | None, deadlines: Deadlines
    ) -> aiohttp.ClientResponse:
        body, label = letter.body, letter.label
        data = body if len(body) <= MAX_PLAIN_WRITE_BYTES else io.BytesIO(body)
        loop = asyncio.get_running_loop()
        due = deadlines.due(loop.time())
        timeout = self._connect_timeout(due - loop.time())
        try:
            async with asyncio.timeout_at(due):
                return await self._outlet.session.post(
                    destination.url(letter.path, letter.address),
                    data=data,
                    headers=destination.with_headers(letter.headers, bearer),
                    proxy_headers=self._outlet.proxy_headers,
                    allow_redirects=False,
                    timeout=timeout,
                )
        except aiohttp.ConnectionTimeoutError as error:
            if deadlines.hurried and timeout is not self._timeout:
                msg = f"{label} could not be connected to in the time that was left"
                raise UpstreamConnectTooLate(msg) from error
            msg = f"{label} could not be connected to within {timeout.connect:g} seconds"
            raise UpstreamConnectTimeout(msg) from error
        except TimeoutError:
            raise deadlines.error(label, loop.time()) from None
        except aiohttp.ClientConnectorError as error:
            raise UpstreamUnreachable(f"{label} cannot be reached: {_reason(error)}") from error
        except aiohttp.ClientHttpProxyError as error:
            msg = f"{label} cannot be reached: its proxy says {error.status}: check proxyURL"
            raise UpstreamUnavailable(msg) from None
        except ValueError:  # an address or a header that HTTP cannot carry; it may hold the key
            msg = f"{label} cannot be addressed as configured: check baseURL and headers"
            raise UpstreamMisconfigured(msg) from None
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamLost(f"the connection to {label} broke off") from error

    def _connect_timeout(self, left_seconds: float) -> aiohttp.ClientTimeout:
        most = max(left_seconds, CLOCK_SECONDS) * CONNECT_SHARE
        if most >= self._provider.timeouts.connect_seconds:
            return self._timeout
        return aiohttp.ClientTimeout(total=None, connect=most)

    async def _failure(
        self, response: aiohttp.ClientResponse, label: str, deadlines: Deadlines
    ) -> UpstreamError:
        incoming = Incoming(response, deadlines, label, MAX_ERROR_BYTES)
        try:
            body = await incoming.read_all()
        except UpstreamError:
            body = b""  # the status says enough
        finally:
            incoming.close()
        return self.refusals.of_response(
            label, response.status, response.headers, body, self._clock.utc()
        )


def _reason(error: aiohttp.ClientConnectorError) -> str:
    match error:
        case aiohttp.ClientProxyConnectionError():
            return "nor can its proxy"
        case aiohttp.ClientConnectorDNSError():
            return "its name does not resolve"
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not trusted"
        case aiohttp.ClientSSLError():
            return "TLS failed"
        case _:
            return "no connection could be made"


def _sooner(former: UpstreamError, latter: UpstreamError) -> UpstreamError:
    """What to say of several keys: that of the one which may serve first. A key that is not
    accepted never will."""
    if not isinstance(latter, UpstreamLimited) or not isinstance(former, UpstreamLimited):
        return former if isinstance(former, UpstreamLimited) else latter
    return min(former, latter, key=lambda each: each.retry_after_seconds or LIMITED_SECONDS)


def _destination(provider: Provider, key: str | None, to_proxy: Mapping[str, str]) -> Destination:
    """Without TLS a proxy reads each request, and takes out what is for it."""
    headers = CIMultiDict(provider.headers)
    headers.update(to_proxy)
    headers["User-Agent"] = USER_AGENT
    headers["Content-Type"] = "application/json"
    headers["Accept-Encoding"] = "identity"
    auth, query = provider.auth, dict[str, str]()
    if key is not None:
        match auth.scheme:
            case "Bearer":
                headers[auth.name] = f"Bearer {key}"
            case "Header":
                headers[auth.name] = key
            case "Query":
                query = {auth.name: key}
    return Destination(provider.base_url.rstrip("/"), query, headers)
