"""Secrets that providers refer to: watched by name and version, read one by one."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, Forbidden
from penstock_operator.cluster.secrets import secret_values, secret_versions
from penstock_operator.compile.snapshot import SecretData, SecretId

RETRY_SECONDS: Final = 5
PATIENCE: Final = 12
"""Refusals in a row before a right counts as withdrawn: an API server that starts, or that cannot
reach who knows its users, refuses everybody for a while."""
ASK_AGAIN_SECONDS: Final = 60
NOT_READABLE: Final = SecretData(readable=False)
logger = logging.getLogger(__name__)


class SecretStore:
    """Never asks for a Secret outside `namespaces`, and never for one nobody refers to."""

    def __init__(
        self,
        cluster: Cluster,
        namespaces: Iterable[str],
        on_change: Callable[[], None],
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._on_change = on_change
        self._retry_seconds = retry_seconds
        self._asks_again: asyncio.TimerHandle | None = None
        self._known = {namespace: asyncio.Event() for namespace in namespaces}
        self._versions: dict[str, Mapping[str, str]] = {}
        """By namespace; one that is known and not in here may not be read."""
        self._cache: dict[SecretId, tuple[str, SecretData]] = {}

    async def watch(self) -> None:
        """Follows every namespace; never ends."""
        async with asyncio.TaskGroup() as group:
            for namespace in self._known:
                group.create_task(self._follow(namespace))

    async def read(self, ids: Iterable[SecretId]) -> Mapping[SecretId, SecretData]:
        """Those that exist, or may not be read. Waits until every namespace has been listed."""
        for listed in self._known.values():
            await listed.wait()
        wanted = {*ids}
        self._cache = {id_: kept for id_, kept in self._cache.items() if id_ in wanted}
        found = {}
        for id_ in sorted(wanted):
            if (data := await self._read(id_)) is not None:
                found[id_] = data
        return found

    async def _read(self, id_: SecretId) -> SecretData | None:
        namespace, name = id_
        versions = self._versions.get(namespace)
        if versions is None:
            return NOT_READABLE
        version = versions.get(name)
        if version is None:
            return None
        kept = self._cache.get(id_)
        if kept is not None and kept[0] == version:
            return kept[1]
        return await self._fetch(id_, version)

    async def _fetch(self, id_: SecretId, version: str) -> SecretData | None:
        try:
            values = await secret_values(self._cluster, *id_)
        except Forbidden as error:  # one Secret of one provider must not stop all others
            logger.warning("secrets.not_readable", extra={"error": str(error)})
            self._ask_again()
            return NOT_READABLE
        if values is None:
            return None
        data = SecretData(values)
        self._cache[id_] = (version, data)
        return data

    def _ask_again(self) -> None:
        """A right that is granted later is told by no watch."""
        loop = asyncio.get_running_loop()
        if self._asks_again is None or self._asks_again.when() <= loop.time():
            self._asks_again = loop.call_later(ASK_AGAIN_SECONDS, self._on_change)

    async def _follow(self, namespace: str) -> None:
        refusals = 0
        while True:
            try:
                async for versions in secret_versions(self._cluster, namespace):
                    refusals = 0
                    self._note(namespace, versions)
            except Forbidden as error:
                refusals += 1
                logger.warning("secrets.not_readable", extra={"error": str(error)})
                if refusals == PATIENCE or not self._known[namespace].is_set():
                    self._note(namespace, None)
            except ClusterError as error:
                logger.warning("secrets.watch_failed", extra={"error": str(error)})
            await asyncio.sleep(self._retry_seconds)

    def _note(self, namespace: str, versions: Mapping[str, str] | None) -> None:
        """Watches end and begin again at rest too: that alone is no news."""
        if self._known[namespace].is_set() and self._versions.get(namespace) == versions:
            return
        if versions is None:
            self._versions.pop(namespace, None)
        else:
            self._versions[namespace] = versions
        self._known[namespace].set()
        self._on_change()
