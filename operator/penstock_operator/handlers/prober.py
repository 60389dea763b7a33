"""Asks providers whether they are there: now and then, a few at a time, whatever comes of it.

No redirect is followed, no cookie kept, no answer read beyond its status; nothing on this machine,
its link, or behind a metadata service's address is asked, whatever a name leads to.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Final

import aiohttp
from yarl import URL

from penstock_operator.handlers.webhook_post import GuardedResolver, is_forbidden
from penstock_operator.health.asking import SWITCHED_OFF, Probe, Result, probe_of, result_of
from penstock_operator.health.in_force import Reached
from penstock_operator.health.judging import Probed

MAX_AT_ONCE: Final = 16
PROBE_SECONDS: Final = 10.0
JITTER: Final = 0.1
USER_AGENT: Final = "penstock-operator"
FORBIDDEN: Final = "its address leads to this machine or its link, and is not asked"


class NotAsked(Exception):
    """Its address is nobody's business."""


class Prober:
    """Knows when each provider is to be asked again, and what the last answer was."""

    def __init__(
        self,
        *,
        enabled: bool,
        loopback: bool,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._enabled = enabled
        self._loopback = loopback
        self._clock = clock
        self._random = random or Random()  # noqa: S311  # spreads probes; guards nothing
        self._due: dict[str, float] = {}
        self._probed: dict[str, Probed] = {}
        self._contexts: dict[str | None, ssl.SSLContext] = {}
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)

    def unprobed(self, reached: Reached) -> str | None:
        """Why it is not probed; `None` where it is."""
        if not self._enabled:
            return SWITCHED_OFF
        if is_forbidden(_host(reached), loopback=self._loopback):
            return FORBIDDEN
        found = probe_of(reached)
        return found if isinstance(found, str) else None

    def probed(self, provider: str) -> Probed | None:
        return self._probed.get(provider)

    def due(self, providers: Mapping[str, Reached], intervals: Mapping[str, int]) -> list[str]:
        """Those to be asked now; each has its next turn after about its interval. One that is new
        is asked at some time within its first."""
        now = self._clock()
        self._due = {id_: at for id_, at in self._due.items() if id_ in providers}
        self._probed = {id_: found for id_, found in self._probed.items() if id_ in providers}
        found = []
        for id_, reached in providers.items():
            if self.unprobed(reached) is not None:
                self._probed.pop(id_, None)
                continue
            at = self._due.setdefault(id_, now + self._random.uniform(0, 1))
            if at <= now:
                found.append(id_)
                pause = intervals[id_] * self._random.uniform(1 - JITTER, 1)
                self._due[id_] = now + pause
        return found

    async def probe(self, reached: Reached) -> Probed:
        """Never raises: what goes wrong is the result."""
        async with self._slots:
            result, said = await self._asked(reached)
        former = self._probed.get(reached.provider.id)
        failures = (former.failures if former else 0) + 1 if result == "failed" else 0
        at = datetime.now(UTC).replace(microsecond=0)
        found = self._probed[reached.provider.id] = Probed(at, result, said, failures)
        return found

    async def _asked(self, reached: Reached) -> tuple[Result, str]:
        probe = probe_of(reached)
        if isinstance(probe, str):
            return "failed", probe
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                status = await self._status(reached, probe)
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError, TimeoutError) as error:
            return "failed", type(error).__name__  # its text may hold the URL, which may hold a key
        return result_of(status), f"status {status}"

    async def _status(self, reached: Reached, probe: Probe) -> int:
        provider = reached.provider
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(loopback=self._loopback),
            ssl=self._context(reached.authorities if provider.private_ca else None),
            force_close=True,
        )
        timeout = aiohttp.ClientTimeout(
            total=PROBE_SECONDS, sock_connect=provider.timeouts.connect_seconds
        )
        async with (
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                timeout=timeout,
            ) as session,
            session.get(
                URL(probe.url, encoded=True),
                headers={"User-Agent": USER_AGENT, **probe.headers},
                allow_redirects=False,
                proxy=provider.proxy_url,
                proxy_headers=_login(reached),
            ) as answer,
        ):
            return answer.status

    def _context(self, authorities: str | None) -> ssl.SSLContext:
        """Made once: that takes longer than a probe."""
        if authorities not in self._contexts:
            context = ssl.create_default_context(cadata=authorities)
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as sidecars do: see their `trust`
            self._contexts[authorities] = context
        return self._contexts[authorities]


def _login(reached: Reached) -> Mapping[str, str] | None:
    if reached.proxy_login is None:
        return None
    user, _, password = reached.proxy_login.get_secret_value().partition(":")
    return {"Proxy-Authorization": aiohttp.encode_basic_auth(user, password)}


def _host(reached: Reached) -> str:
    """Of what is connected to."""
    return URL(reached.provider.proxy_url or reached.provider.base_url).host or ""
