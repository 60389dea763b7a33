"""What the loaders of our pods say: asked over HTTP, a bounded number at once, and never for long.

Only pods are asked that belong to Deployments of ours. No redirect is followed, and no more of an
answer is read than a loader would ever say.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final, Self

import aiohttp

from penstock_operator.fleet.observed import Pod, Told
from penstock_operator.fleet.replicas import address_of
from penstock_operator.ollama.names import LOADER_PORT
from penstock_operator.ollama.progress import MAX_BYTES, Progress, decode_progress

MAX_AT_ONCE: Final = 64
ANSWER_SECONDS: Final = 1.5
ROUND_SECONDS: Final = 6.0
REMEMBERED_SECONDS: Final = 10.0
"""So long the last answer holds for a pod that misses one."""


class Loaders:
    """Use as a context manager. `port` is the loaders', for tests."""

    def __init__(self, clock: Callable[[], float], port: int = LOADER_PORT) -> None:
        self._clock = clock
        self._port = port
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)
        self._said: dict[str, tuple[float, Progress]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, pods: Sequence[Pod]) -> list[Told]:
        """Each pod with what its loader says, in the same order. Never raises."""
        self._said = {p.uid: self._said[p.uid] for p in pods if p.uid in self._said}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS), asyncio.TaskGroup() as group:
                for pod in pods:
                    if pod.address and not pod.leaving:
                        group.create_task(self._ask(pod))
        return [Told(pod, self._remembered(pod)) for pod in pods]

    def _remembered(self, pod: Pod) -> Progress | None:
        found = self._said.get(pod.uid)
        if found is None or self._clock() - found[0] > REMEMBERED_SECONDS:
            return None
        return found[1]

    async def _ask(self, pod: Pod) -> None:
        assert self._session is not None  # noqa: S101  # it is a context manager
        url = f"http://{address_of(pod.address or '')}:{self._port}/progress"
        async with self._slots:
            try:
                async with self._session.get(url, allow_redirects=False) as answer:
                    data = await answer.content.read(MAX_BYTES + 1)
                    while len(data) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES)):
                        data += more
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                return
        if (said := decode_progress(data)) is not None and answer.status == 200:  # noqa: PLR2004
            self._said[pod.uid] = self._clock(), said
