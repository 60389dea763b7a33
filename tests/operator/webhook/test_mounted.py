"""A certificate in a folder, as a kubelet mounts a Secret of cert-manager's."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from penstock_operator.environment import SettingsError
from penstock_operator.metrics import Metrics
from penstock_operator.webhook.certificates import Pair, make_ca
from penstock_operator.webhook.mounted import MountedCertificate
from penstock_operator.webhook.server import load_leaf, new_context
from tests.operator.webhook.volume import Volume


class Loaded:
    """What the server was given."""

    def __init__(self) -> None:
        self.leaves: list[Pair] = []
        self._came = asyncio.Event()

    def load(self, leaf: Pair) -> None:
        self.leaves.append(leaf)
        self._came.set()

    async def until(self, number: int) -> None:
        while len(self.leaves) < number:
            self._came.clear()
            await self._came.wait()


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


@pytest.fixture
def loaded() -> Loaded:
    return Loaded()


def mounted(volume: Volume, loaded: Loaded) -> MountedCertificate:
    return MountedCertificate(volume.folder, loaded.load, Metrics(), look_seconds=0.01)


@asynccontextmanager
async def kept(certificate: MountedCertificate) -> AsyncIterator[None]:
    await certificate.begin()
    task = asyncio.create_task(certificate.keep())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_chain_is_loaded_whole_and_once(volume: Volume, loaded: Loaded) -> None:
    leaf = volume.renew()
    certificate = mounted(volume, loaded)
    async with kept(certificate):
        assert certificate.missing() is None
        later = volume.renew()
        await loaded.until(2)
    assert [each.key for each in loaded.leaves] == [leaf.key, later.key]
    assert loaded.leaves[0].certificate == leaf.certificate + volume.ca.certificate


async def test_what_cannot_be_used_leaves_the_last_one(volume: Volume, loaded: Loaded) -> None:
    first = volume.renew()
    certificate = mounted(volume, loaded)
    await certificate.begin()
    for key in (b"no key", make_ca(datetime.now(UTC)).key):
        volume.write(first.certificate, key)
        certificate._look()
        assert len(loaded.leaves) == 1
        assert certificate.missing() is None
    last = volume.renew()
    certificate._look()
    assert [each.key for each in loaded.leaves] == [first.key, last.key]


async def test_a_chain_that_cannot_be_used_leaves_the_last_one(volume: Volume) -> None:
    context = new_context()
    certificate = MountedCertificate(
        volume.folder, lambda leaf: load_leaf(context, leaf), Metrics()
    )
    first = volume.renew()
    await certificate.begin()
    later = volume.renew()
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    volume.write(later.certificate + broken, later.key)
    certificate._look()
    assert certificate.missing() is None
    assert certificate._leaf is not None
    assert certificate._leaf.key == first.key


async def test_without_a_certificate_it_does_not_begin(volume: Volume, loaded: Loaded) -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_TLS_DIR"):
        await mounted(volume, loaded).begin()


async def test_an_expired_certificate_is_not_ready(volume: Volume, loaded: Loaded) -> None:
    volume.renew(timedelta(seconds=-1))
    certificate = mounted(volume, loaded)
    await certificate.begin()
    assert "expired" in (certificate.missing() or "")
