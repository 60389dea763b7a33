"""Tokens of Microsoft Entra ID: one task for each application fetches them ahead of their end.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import aiohttp
import orjson
from pydantic import SecretStr
from yarl import URL

from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import UpstreamCredentials
from penstock_sidecar.upstream.session import USER_AGENT, Route, proxy_headers

SCOPES: Final = {
    "login.microsoftonline.us": "https://cognitiveservices.azure.us/.default",
    "login.partner.microsoftonline.cn": "https://cognitiveservices.azure.cn/.default",
    "login.chinacloudapi.cn": "https://cognitiveservices.azure.cn/.default",
}
"""Of national clouds, by their authority."""
SCOPE: Final = "https://cognitiveservices.azure.com/.default"
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": USER_AGENT,
}
FETCH_SECONDS: Final = 10
MAX_REPLY_BYTES: Final = 64 * 1024
AHEAD_SECONDS: Final = 300
"""How long before its end a token is replaced; of one that is short, at half of its time."""
MAX_LIFE_SECONDS: Final = 86_400
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 60.0
"""After failures: twice as long each time, up to this."""
REJECTED_SECONDS: Final = 60.0
"""A provider that turns away a younger token has another reason than its age."""
_WORD: Final = re.compile(r"[a-z_]{1,64}")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Directory:
    """Where tokens come from, and where the pod's own proof of identity lies."""

    authority: str = "https://login.microsoftonline.com"
    token_file: Path | None = None
    """What Azure's workload identity mounts; read anew for each token."""


@dataclass(frozen=True, slots=True)
class Application:
    """Who asks. Without a secret, the pod's workload identity speaks for it."""

    tenant_id: str
    client_id: str
    secret: SecretStr | None
    route: Route
    """To the authority: by the provider's proxy."""


class Token(Protocol):
    async def current(self, label: str) -> str:
        """A valid one; waits for the first. Raises `UpstreamCredentials`, naming `label`."""

    def rejected(self, token: str) -> None:
        """The provider did not take it."""


class TokenRefused(Exception):
    """No token came; the text says why, in the authority's word or ours."""


@dataclass(frozen=True, slots=True, repr=False)
class _Fetched:
    """Times are the clock's."""

    value: str
    since: float
    until: float


class EntraToken:
    """A `Token`. Started once, then closed."""

    def __init__(
        self,
        application: Application,
        directory: Directory,
        session: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self.application = application
        self._directory = directory
        self._session = session
        self._proxy_headers = proxy_headers(application.route)
        self._clock = clock
        self._fetched: _Fetched | None = None
        self._why = ""
        self._again_at = 0.0
        self._known = asyncio.Event()
        """Set while no fetch is under way that callers had to wait for."""
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def current(self, label: str) -> str:
        if not self._valid():
            await self._known.wait()
        if (found := self._valid()) is not None:
            return found.value
        raise UpstreamCredentials(
            f"Microsoft Entra ID gives no token for {label}: {self._why}",
            retry_after_seconds=max(0.0, self._again_at - self._clock.monotonic()),
        )

    def rejected(self, token: str) -> None:
        found = self._valid()
        if found is None or found.value != token:
            return  # another one is on its way, or there
        if self._clock.monotonic() - found.since >= REJECTED_SECONDS:
            self._fetched = None
            self._known.clear()
            self._wanted.set()

    def _valid(self) -> _Fetched | None:
        found = self._fetched
        return found if found and self._clock.monotonic() < found.until else None

    async def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            self._wanted.clear()
            try:
                wait, pause = await self._fetch(), FIRST_PAUSE_SECONDS
            except TokenRefused as error:
                wait, pause = pause, min(2 * pause, MAX_PAUSE_SECONDS)
                self._why = str(error)
                client = self.application.client_id
                logger.warning("entra.refused", extra={"client": client, "reason": self._why})
            self._again_at = self._clock.monotonic() + wait
            self._known.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wanted.wait()

    async def _fetch(self) -> float:
        """Takes a new token; returns in how many seconds the next is due."""
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                reply = await self._ask(await self._form())
        except (aiohttp.ClientError, OSError, TimeoutError) as error:  # each names hosts, at most
            raise TokenRefused(f"its authority does not answer ({type(error).__name__})") from None
        except ValueError:  # of an authority, or a proof, that no request can carry
            raise TokenRefused("its authority cannot be addressed as configured") from None
        value, seconds = reply.get("access_token"), reply.get("expires_in")
        if not _sendable(value) or not isinstance(seconds, int) or seconds <= 0:
            raise TokenRefused(_reason(reply))
        life = min(seconds, MAX_LIFE_SECONDS)
        self._fetched = _Fetched(str(value), asked_at, asked_at + life)
        return max(life / 2, life - AHEAD_SECONDS)

    async def _ask(self, form: Mapping[str, str]) -> Mapping[str, object]:
        url = URL(self._directory.authority) / self.application.tenant_id / "oauth2/v2.0/token"
        if url.scheme != "https" and url.host not in {"127.0.0.1", "localhost"}:
            raise TokenRefused("its authority must be reached by https")
        data = b""
        async with self._session.post(
            url,
            data=form,
            headers=HEADERS,
            proxy_headers=self._proxy_headers,
            allow_redirects=False,
        ) as response:
            while piece := await response.content.read(MAX_REPLY_BYTES - len(data)):
                data += piece
        try:
            reply = orjson.loads(data)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            raise TokenRefused(f"its authority answers with status {response.status}")
        return reply

    async def _form(self) -> dict[str, str]:
        host = URL(self._directory.authority).host or ""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.application.client_id,
            "scope": SCOPES.get(host, SCOPE),
        }
        if self.application.secret is not None:
            return form | {"client_secret": self.application.secret.get_secret_value()}
        return form | {"client_assertion_type": ASSERTION, "client_assertion": await self._proof()}

    async def _proof(self) -> str:
        file = self._directory.token_file
        if file is None:
            raise TokenRefused("the pod has no workload identity, and clientSecretRef is not set")
        try:
            return (await asyncio.to_thread(file.read_text)).strip()
        except OSError as error:
            raise TokenRefused(f"the pod's identity cannot be read: {error.strerror}") from None


def _reason(reply: Mapping[str, object]) -> str:
    """The authority's word and number, such as `invalid_client (AADSTS7000215)`: its sentences
    name people and tenants."""
    word, codes = reply.get("error"), reply.get("error_codes")
    said = word if isinstance(word, str) and _WORD.fullmatch(word) else "no token in its answer"
    first = codes[0] if isinstance(codes, list) and codes else None
    return f"{said} (AADSTS{first})" if isinstance(first, int) else said


def _sendable(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable()
