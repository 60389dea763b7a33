"""Secrets that providers refer to: watched by name and version, read one by one."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, Forbidden
from penstock_operator.cluster.secrets import secret_values, secret_versions
from penstock_operator.compile.snapshot import SecretData, SecretId

RETRY_SECONDS: Final = 5
NOT_READABLE: Final = SecretData(readable=False)
logger = logging.getLogger(__name__)


class SecretStore:
    """Never asks for a Secret outside `namespaces`, and never for one nobody refers to."""

    def __init__(
        self, cluster: Cluster, namespaces: Iterable[str], on_change: Callable[[], None]
    ) -> None:
        self._cluster = cluster
        self._on_change = on_change
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
        values = await secret_values(self._cluster, namespace, name)
        if values is None:
            return None
        data = SecretData(values)
        self._cache[id_] = (version, data)
        return data

    async def _follow(self, namespace: str) -> None:
        while True:
            try:
                async for versions in secret_versions(self._cluster, namespace):
                    self._note(namespace, versions)
            except Forbidden as error:
                logger.warning("secrets.not_readable", extra={"error": str(error)})
                self._note(namespace, None)
            except ClusterError as error:
                logger.warning("secrets.watch_failed", extra={"error": str(error)})
            await asyncio.sleep(RETRY_SECONDS)

    def _note(self, namespace: str, versions: Mapping[str, str] | None) -> None:
        if versions is None:
            self._versions.pop(namespace, None)
        else:
            self._versions[namespace] = versions
        self._known[namespace].set()
        self._on_change()
