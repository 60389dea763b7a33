"""Probes over real HTTP: what is sent, how it ends, and when the next one is due."""

from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from penstock_config.provider import Auth, Provider
from penstock_operator.handlers.prober import FORBIDDEN, Prober
from penstock_operator.health.asking import NO_KEY, SWITCHED_OFF
from penstock_operator.health.in_force import Reached
from tests.fakes.egress import egress
from tests.fakes.tls import tls_before
from tests.operator.handlers.health_api import Lists
from tests.operator.health.facts import provider
from tests.servers import certificates

KEY = SecretStr("sk-hush")


def prober(**more: object) -> Prober:
    return Prober(enabled=True, loopback=True, random=Random(1), **more)  # type: ignore[arg-type]  # a clock


def reached(base_url: str, **fields: object) -> Reached:
    return Reached(provider(base_url=base_url, needs_key=True, **fields), KEY)


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, "ok"),
        (401, "rejected"),
        (403, "ok"),
        (404, "ok"),
        (307, "ok"),
        (408, "failed"),
        (429, "failed"),
        (500, "failed"),
        (529, "failed"),
    ],
)
async def test_what_a_status_says(status: int, result: str) -> None:
    async with Lists(status) as lists:
        probed = await prober().probe(reached(f"{lists.url}/v1"))
        assert (probed.result, probed.said) == (result, f"status {status}")
        assert [request.path for request in lists.asked] == ["/v1/models"]
        assert lists.asked[0].headers["Authorization"] == "Bearer sk-hush"


async def test_failures_are_counted_in_a_row() -> None:
    asking = prober()
    async with Lists(500) as lists:
        one = reached(lists.url)
        assert [(await asking.probe(one)).failures for _ in range(3)] == [1, 2, 3]
        lists.status = 200
        assert (await asking.probe(one)).failures == 0


async def test_nobody_who_answers_is_a_failure_that_names_no_key() -> None:
    auth = Auth(scheme="Query", name="key")
    probed = await prober().probe(reached("http://127.0.0.1:1", auth=auth))
    assert (probed.result, probed.said) == ("failed", "ClientConnectorError")


async def test_its_own_authorities_are_trusted_and_no_others(tmp_path: Path) -> None:
    own = certificates(tmp_path)
    async with Lists() as lists, tls_before(lists.url, own) as url:
        config = provider(base_url=url, private_ca=True)
        assert (await prober().probe(Reached(config, authorities=own.ca_pem))).result == "ok"
        other = provider(base_url=url)
        failed = await prober().probe(Reached(other))
        assert (failed.result, failed.said) == ("failed", "ClientConnectorCertificateError")


async def test_a_proxy_is_used_and_told_who_comes() -> None:
    async with Lists() as lists, egress() as proxy:
        proxy.login = "shop:hush"
        config = provider(base_url=lists.url, proxy_url=proxy.url, proxy_login=True)
        probed = await prober().probe(Reached(config, proxy_login=SecretStr("shop:hush")))
        assert probed.result == "ok"
        assert proxy.asked == [f"GET {lists.url}/models"]


def test_addresses_of_this_machine_are_not_asked() -> None:
    careful = Prober(enabled=True, loopback=False)
    for host in ("127.0.0.1:80", "169.254.169.254", "[::1]"):
        one = reached(f"http://{host}/v1")
        assert careful.unprobed(one) == FORBIDDEN
        assert careful.due({one.provider.id: one}, {one.provider.id: 30}) == []


async def test_a_name_that_leads_there_is_not_asked_either() -> None:
    async with Lists() as lists:
        careful = Prober(enabled=True, loopback=False)
        port = lists.url.rpartition(":")[2]
        probed = await careful.probe(reached(f"http://localhost:{port}"))
        assert (probed.result, lists.asked) == ("failed", [])


def test_why_a_provider_is_not_probed() -> None:
    one = Reached(provider(needs_key=True))
    assert prober().unprobed(one) == NO_KEY
    off = Prober(enabled=False, loopback=True)
    assert off.unprobed(reached("https://provider.example")) == SWITCHED_OFF


def test_each_is_due_once_in_its_interval() -> None:
    now = 0.0
    asking = prober(clock=lambda: now)
    ones = {f"llm/{name}": Reached(_named(name)) for name in "ab"}
    intervals = {"llm/a": 10, "llm/b": 100}
    asked: dict[str, int] = dict.fromkeys(ones, 0)
    for second in range(100):
        now = float(second)
        for id_ in asking.due(ones, intervals):
            asked[id_] += 1
    assert 10 <= asked["llm/a"] <= 12
    assert 1 <= asked["llm/b"] <= 2


def _named(name: str) -> Provider:
    return provider(id=f"llm/{name}")
