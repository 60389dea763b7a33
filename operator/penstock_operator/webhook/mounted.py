"""A certificate that others make, cert-manager for one: read from a folder, and again when it
changes. A kubelet renews a volume by moving a link, so what counts is the files' content."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from penstock_operator.environment import SettingsError
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.certificates import Pair, read_pair

LOOK_SECONDS: Final = 5
logger = logging.getLogger(__name__)


class MountedCertificate:
    """`tls.crt`, which may be a chain, and `tls.key`. What cannot be used changes nothing."""

    def __init__(
        self,
        folder: Path,
        load_leaf: Callable[[Pair], None],
        metrics: Metrics,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._folder = folder
        self._load_leaf = load_leaf
        self._metrics = metrics
        self._look_seconds = look_seconds
        self._seen: tuple[bytes, bytes] | None = None
        self._leaf: Pair | None = None

    def missing(self) -> str | None:
        """Why this replica cannot serve; `None` when it can."""
        if self._leaf is None or self._leaf.expires <= datetime.now(UTC):
            return f"the certificate in {self._folder} is expired"
        return None

    async def begin(self) -> None:
        """`SettingsError` when there is no certificate that can be used."""
        self._look()
        if self._leaf is None:
            msg = f"PENSTOCK_TLS_DIR: {str(self._folder)!r} holds no tls.crt with its tls.key"
            raise SettingsError(msg)

    async def keep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(self._look_seconds)
            self._look()

    def _look(self) -> None:
        found = self._read()
        if found is None or found == self._seen:
            return
        self._seen = found
        leaf = read_pair(*found)
        if leaf is None or not self._loaded(replace(leaf, certificate=found[0])):
            logger.warning("certificates.mounted_unusable", extra={"folder": str(self._folder)})
            return
        self._metrics.certificate_expiry.labels("leaf").set(leaf.expires.timestamp())
        logger.info("certificates.mounted_loaded", extra={"expires": leaf.expires.isoformat()})

    def _loaded(self, leaf: Pair) -> bool:
        """Of the leaf with its chain: there may be anything below what we looked at."""
        try:
            self._load_leaf(leaf)
        except ssl.SSLError:
            return False
        self._leaf = leaf
        return True

    def _read(self) -> tuple[bytes, bytes] | None:
        try:
            return (self._folder / "tls.crt").read_bytes(), (self._folder / "tls.key").read_bytes()
        except OSError:
            return None
