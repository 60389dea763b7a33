"""Keeps the CAs, this replica's leaf and the webhook configurations as `authority` decides.

Each round reads the configurations first and the Secret second, and writes the other way round. So
whoever read an old Secret also read the configurations before the newer bundle was written there:
his write is a conflict, and never takes a CA away that another replica has just added.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from penstock_operator.cluster import Cluster, ClusterError, ClusterUnreachable, Conflict
from penstock_operator.cluster.webhooks import (
    Configuration,
    carry,
    configurations,
    store_ca,
    stored_ca,
    watch_configurations,
)
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.authority import Keyring, Lives, Sight, renewed, signer_of
from penstock_operator.webhook.certificates import Pair, authorities_in, make_ca, make_leaf
from penstock_operator.webhook.keyring_file import dump, load

ROUND_SECONDS: Final = 60
"""The longest between two rounds; a changed configuration begins one at once."""
PAUSE_SECONDS: Final = 0.5
"""The shortest: somebody else may write the bundle back and forth with us."""
MAX_CONFLICTS: Final = 20
logger = logging.getLogger(__name__)


class Sightings:
    """Since when each CA is carried by all configurations, as this replica saw it."""

    def __init__(self) -> None:
        self._since: dict[bytes, float] = {}

    def note(self, carried_by_all: frozenset[bytes], now: float) -> None:
        self._since = {each: self._since.get(each, now) for each in carried_by_all}

    def settled(self, now: float, settle: timedelta) -> frozenset[bytes]:
        seconds = settle.total_seconds()
        return frozenset(each for each, since in self._since.items() if now - since >= seconds)


class Custodian:
    """One replica's part in the certificates. `load_leaf` is given each new leaf."""

    def __init__(
        self,
        cluster: Cluster,
        place: tuple[str, str],
        hosts: Sequence[str],
        lives: Lives,
        load_leaf: Callable[[Pair], None],
        metrics: Metrics,
    ) -> None:
        """`place`: the own namespace, and the name of the webhook configurations."""
        self._cluster = cluster
        self._namespace, self._configuration = place
        self._hosts = hosts
        self._lives = lives
        self._load_leaf = load_leaf
        self._metrics = metrics
        self._sightings = Sightings()
        self._own: Pair | None = None
        self._leaf: Pair | None = None
        self._trusted = False

    def missing(self) -> str | None:
        """Why this replica cannot serve; `None` when it can."""
        if self._leaf is None:
            return "the CA was not read yet"
        if self._leaf.expires <= datetime.now(UTC):
            return "the certificate is expired: the CA cannot be read, see the log"
        return None if self._trusted else "the webhook configurations do not carry our CA yet"

    async def begin(self) -> None:
        """The first round; `ClusterError` when the Secret cannot be read or written."""
        for _ in range(MAX_CONFLICTS):
            with contextlib.suppress(Conflict):  # another replica was faster: look again
                await self._round()
                return
        msg = f"{MAX_CONFLICTS} times somebody else wrote the CA or the webhook configurations"
        raise Conflict(msg)

    async def keep(self) -> None:
        """Round by round, until cancelled."""
        changed = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch_configurations(self._cluster, self._configuration, changed.set))
            while True:
                await asyncio.sleep(min(PAUSE_SECONDS, self._seconds()))
                await _wait(changed, self._seconds())
                changed.clear()
                try:
                    await self._round()
                except Conflict:
                    changed.set()
                except ClusterError as error:
                    logger.warning("certificates.not_kept", extra={"error": str(error)})
                    self._renew_alone()

    def _seconds(self) -> float:
        return min(ROUND_SECONDS, self._lives.leaf.total_seconds() / 20)

    async def _round(self) -> None:
        found = await self._look()
        stored = await stored_ca(self._cluster, self._namespace)
        sight = self._sight(found, load(stored.data) if stored else None)
        ring = renewed(sight, self._lives, lambda: make_ca(sight.now, self._lives.ca))
        if ring != sight.kept:
            await store_ca(self._cluster, self._namespace, dump(ring), stored)
            logger.info("certificates.ca_stored", extra={"trusted": len(ring.trusted)})
        self._renew_leaf(signer_of(sight, ring, self._lives), sight.now)
        self._metrics.certificate_expiry.labels("ca").set(ring.signer.expires.timestamp())
        if found is not None:
            self._trusted = await self._carry(found, ring)

    async def _look(self) -> tuple[Configuration, ...] | None:
        """`None` when they cannot be read: then no CA settles, and the leaf is renewed as ever."""
        try:
            return await configurations(self._cluster, self._configuration)
        except ClusterUnreachable:  # nor could the Secret be read
            raise
        except ClusterError as error:
            logger.warning("certificates.configurations_not_read", extra={"error": str(error)})
            return None

    def _sight(self, found: tuple[Configuration, ...] | None, kept: Keyring | None) -> Sight:
        bundles = [authorities_in(data) for each in found or () for data in each.bundles]
        sets = [frozenset(each.certificate for each in bundle) for bundle in bundles]
        if sets:
            by_all = frozenset.intersection(*sets)
        else:  # where nothing calls us, nothing must be waited for
            by_all = frozenset(kept.trusted if kept and found is not None else ())
        now = time.monotonic()
        self._sightings.note(by_all, now)
        return Sight(
            now=datetime.now(UTC),
            kept=kept,
            carried=tuple({each for bundle in bundles for each in bundle}),
            settled=self._sightings.settled(now, self._lives.settle),
            own=self._own,
            leaf_expires=self._leaf.expires if self._leaf else None,
        )

    def _renew_leaf(self, signer: Pair, now: datetime) -> None:
        if self._own == signer and self._leaf and not self._leaf.is_old(now):
            return
        self._own = signer
        self._leaf = make_leaf(signer, self._hosts, now, self._lives.leaf)
        self._load_leaf(self._leaf)
        self._metrics.certificate_expiry.labels("leaf").set(self._leaf.expires.timestamp())
        logger.info("certificates.leaf_renewed", extra={"expires": self._leaf.expires.isoformat()})

    def _renew_alone(self) -> None:
        """Without the Secret: better a leaf whose CA may have retired than one that is expired."""
        now = datetime.now(UTC)
        if self._own and self._own.expires > now:
            self._renew_leaf(self._own, now)

    async def _carry(self, found: tuple[Configuration, ...], ring: Keyring) -> bool:
        """Whether all of them carry the bundle now."""
        bundle = b"".join(ring.trusted)
        done = True
        for each in found:
            if any(data != bundle for data in each.bundles):
                done = await self._write(each, bundle) and done
        if not found:
            logger.info(
                "certificates.no_configuration", extra={"configuration": self._configuration}
            )
        return done

    async def _write(self, configuration: Configuration, bundle: bytes) -> bool:
        kind = configuration.resource.kind
        try:
            await carry(self._cluster, configuration, bundle)
        except Conflict:
            raise
        except ClusterError as error:
            logger.warning("certificates.not_trusted", extra={"kind": kind, "error": str(error)})
            return False
        logger.info("certificates.trusted", extra={"kind": kind})
        return True


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
