import json
from collections.abc import AsyncIterator

import pytest

from penstock_sidecar.http.dispatch import Dispatcher
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.probes import Probes
from penstock_sidecar.http.server import Port
from tests.sidecar.http.edge import Edge, exchange, head


@pytest.fixture
def load() -> Load:
    return Load(max_in_flight=1)


@pytest.fixture
async def number(load: Load) -> AsyncIterator[int]:
    probes = Probes(load, lambda: (b"up 1\n", "text/plain; version=1.0.0"))
    port = Port(Dispatcher(probes.routes(), (), Edge()))
    yield await port.start(("127.0.0.1",), 0)
    await port.close()


async def test_alive_and_ready_from_the_start(number: int) -> None:
    assert (await exchange(number, head("GET", "/healthz"))).status == 200
    assert (await exchange(number, head("GET", "/readyz"))).status == 200


async def test_draining_ends_readiness_and_not_life(number: int, load: Load) -> None:
    load.draining = True
    response = await exchange(number, head("GET", "/readyz"))
    assert (response.status, json.loads(response.body)) == (503, {"status": "draining"})
    assert (await exchange(number, head("GET", "/healthz"))).status == 200


async def test_the_kubelet_calls_by_the_pod_s_address(number: int) -> None:
    assert (await exchange(number, head("GET", "/readyz", host="10.0.0.7:4142"))).status == 200


async def test_metrics_keep_their_content_type(number: int) -> None:
    response = await exchange(number, head("GET", "/metrics"))
    assert response.body == b"up 1\n"
    assert response.headers["content-type"] == "text/plain; version=1.0.0"


async def test_nothing_else_is_served_outside_of_the_pod(number: int) -> None:
    for path in ("/debug/config", "/drain", "/v1/models", "/"):
        assert (await exchange(number, head("GET", path))).status == 404
