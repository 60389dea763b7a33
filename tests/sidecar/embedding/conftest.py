"""A fake embedder over HTTP, and a client of one namespace."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from penstock_config.cache_layout import Shelves
from penstock_sidecar.embedding import EmbedderClient
from penstock_sidecar.upstream import open_session
from tests.fakes.embedder import FakeEmbedder, fake_embedder
from tests.sidecar.cache.builders import ManualClock

SHELF = Shelves.of("test", "team", "shop", "app").prefix
PARTITION = "ab12"
PATIENT_SECONDS = 30.0


@dataclass(slots=True)
class Asking:
    """What a sidecar of namespace `team` does."""

    fake: FakeEmbedder
    session: aiohttp.ClientSession
    clock: ManualClock = field(default_factory=ManualClock)

    def client(
        self, namespace: str = "team", deadline_seconds: float = PATIENT_SECONDS
    ) -> EmbedderClient:
        access = self.fake.access(namespace)
        return EmbedderClient(
            access, namespace, self.session, self.clock, deadline_seconds=deadline_seconds
        )


@pytest.fixture
async def asking() -> AsyncIterator[Asking]:
    async with fake_embedder() as fake, open_session() as session:
        yield Asking(fake, session)
