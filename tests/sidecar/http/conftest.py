from collections.abc import AsyncIterator

import pytest

from tests.sidecar.http.edge import Edge


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    async with Edge().listening() as listening:
        yield listening
