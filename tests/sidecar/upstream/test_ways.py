"""Private authorities and egress proxies, with real TLS and a real proxy."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.credentials import Credentials
from penstock_config.provider import Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import UpstreamMisconfigured, UpstreamUnavailable
from penstock_sidecar.model import Candidate
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.trust import BadAuthorities, client_context, forgiving
from penstock_sidecar.upstream import Directory, Ways, build_upstreams
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.session import Route
from penstock_sidecar.upstream.ways import Kept
from tests.fakes.egress import egress
from tests.fakes.tls import tls_before
from tests.servers.certificates import Certificates, certificates
from tests.sidecar.upstream.conftest import read

BODY = b'{"model":"fast","messages":[{"role":"user","content":"Hi"}]}'


@dataclass(frozen=True)
class Away:
    """Providers at one address, each reached in its own way."""

    url: str
    pem: str | None = None
    proxy_url: str | None = None
    private_ca: bool = False
    login: str | None = None

    def provider(self, id_: str) -> Provider:
        return Provider(
            id=id_,
            type="openai",
            base_url=f"{self.url}/v1",
            needs_key=True,
            proxy_url=self.proxy_url,
            proxy_login=self.login is not None,
            private_ca=self.private_ca,
            models=(Model(name="m", upstream_name="m", capabilities=("chat",)),),
        )


@dataclass
class Reached:
    """Upstreams of one runtime after another."""

    ways: Ways = field(default_factory=lambda: Ways(Directory(), SystemClock()))

    @asynccontextmanager
    async def upstreams(self, **by_name: Away) -> AsyncIterator[dict[str, Upstream]]:
        providers = {name: away.provider(f"n/{name}") for name, away in by_name.items()}
        credentials = Credentials(
            provider_keys={each.id: (SecretStr("sk-key"),) for each in providers.values()},
            authorities={f"n/{n}": away.pem for n, away in by_name.items() if away.pem},
            proxy_logins={
                f"n/{n}": SecretStr(away.login) for n, away in by_name.items() if away.login
            },
            scope_key=SecretStr("s"),
        )
        config = SidecarConfig(cluster="c", namespace="n", providers=tuple(providers.values()))
        hold = self.ways.hold()
        try:
            built = build_upstreams(config, credentials, hold)
            yield {name: built[f"n/{name}"] for name in by_name}
        finally:
            await hold.close()


def call_of(away: Away) -> Call:
    provider = away.provider("n/p")
    candidate = Candidate(provider, provider.models[0], "fast", "n/fast")
    return Call(parse_chat(BODY, {}, "call-1"), candidate, None)


async def asked(upstream: Upstream, away: Away) -> str | None:
    return (await read(upstream, call_of(away))).finish


@pytest.fixture
def ours(tmp_path: Path) -> Certificates:
    return certificates(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Certificates:
    (tmp_path / "other").mkdir()
    return certificates(tmp_path / "other")


@pytest.fixture
def reached() -> Reached:
    return Reached()


async def test_a_private_authority_is_the_only_one_that_counts_and_for_its_provider_alone(
    reached: Reached, stub: StubProvider, ours: Certificates, other: Certificates
) -> None:
    async with tls_before(stub.url, ours) as url:
        by_name = {
            "ours": Away(url, ours.ca_pem, private_ca=True),
            "other": Away(url, other.ca_pem, private_ca=True),
            "public": Away(url),
        }
        async with reached.upstreams(**by_name) as upstreams:
            assert await asked(upstreams["ours"], by_name["ours"]) == "stop"
            for name in ("other", "public"):
                with pytest.raises(UpstreamUnavailable, match="certificate is not trusted"):
                    await asked(upstreams[name], by_name[name])


@pytest.mark.parametrize("pem", [None, "not PEM", "-----BEGIN CERTIFICATE-----\nAA==\n"])
async def test_authorities_that_cannot_be_read_are_one_provider_s_error(
    reached: Reached, stub: StubProvider, pem: str | None
) -> None:
    """One that is not there is no reason to trust the machine's."""
    broken, plain = Away(stub.url, pem, private_ca=True), Away(stub.url)
    async with reached.upstreams(broken=broken, plain=plain) as upstreams:
        with pytest.raises(UpstreamMisconfigured, match=r"check the Secret of tls\.caSecretRef"):
            await asked(upstreams["broken"], broken)
        assert await asked(upstreams["plain"], plain) == "stop"


@pytest.mark.parametrize("pem", ["", "\n", "PEM", "-----BEGIN PRIVATE KEY-----"])
def test_what_holds_no_certificate_trusts_nobody(pem: str) -> None:
    with pytest.raises(BadAuthorities):
        client_context(pem)


def test_authorities_without_key_usage_are_forgiven_as_the_operator_does() -> None:
    """Python 3.13 is strict by default; whoever runs an older one would not see it."""
    strict = ssl.create_default_context()
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    assert not forgiving(strict).verify_flags & ssl.VERIFY_X509_STRICT
    assert strict.check_hostname
    assert strict.verify_mode is ssl.CERT_REQUIRED
    assert not client_context().verify_flags & ssl.VERIFY_X509_STRICT


async def test_a_proxy_carries_what_it_cannot_read(
    reached: Reached, stub: StubProvider, ours: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the environment's proxies carry nothing."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with tls_before(stub.url, ours) as url, egress() as proxy:
        away = Away(url, ours.ca_pem, proxy.url, private_ca=True)
        plain = Away(url, ours.ca_pem, private_ca=True)
        async with reached.upstreams(away=away, plain=plain) as upstreams:
            assert await asked(upstreams["away"], away) == "stop"
            assert proxy.asked == [f"CONNECT {url.removeprefix('https://')}"]
            assert await asked(upstreams["plain"], plain) == "stop"
            assert len(proxy.asked) == 1


async def test_a_proxy_is_reached_by_tls_where_its_address_says_so(
    reached: Reached, stub: StubProvider, ours: Certificates
) -> None:
    async with tls_before(stub.url, ours) as url, egress(ours) as proxy:
        away = Away(url, ours.ca_pem, proxy.url, private_ca=True)
        async with reached.upstreams(away=away) as upstreams:
            assert await asked(upstreams["away"], away) == "stop"
        assert proxy.asked == [f"CONNECT {url.removeprefix('https://')}"]


async def test_a_proxy_that_refuses_or_is_away_is_named(
    reached: Reached, stub: StubProvider, ours: Certificates
) -> None:
    async with tls_before(stub.url, ours) as url, egress() as proxy:
        proxy.refuses = 407
        refused = Away(url, ours.ca_pem, proxy.url, private_ca=True)
        away = Away(url, ours.ca_pem, "http://127.0.0.1:9", private_ca=True)
        async with reached.upstreams(refused=refused, away=away) as upstreams:
            with pytest.raises(UpstreamUnavailable, match="its proxy says 407: check proxyURL"):
                await asked(upstreams["refused"], refused)
            with pytest.raises(UpstreamUnavailable, match="nor can its proxy"):
                await asked(upstreams["away"], away)
    assert stub.requests == []


async def test_a_proxy_that_asks_who_comes_is_told_and_nobody_else(
    reached: Reached, stub: StubProvider, ours: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with tls_before(stub.url, ours) as url, egress() as proxy:
        proxy.login = "shop:hush-hush"
        known = Away(url, ours.ca_pem, proxy.url, private_ca=True, login=proxy.login)
        wrong = Away(url, ours.ca_pem, proxy.url, private_ca=True, login="shop:guess-guess")
        plain = Away(stub.url, proxy_url=proxy.url, login=proxy.login)
        async with reached.upstreams(known=known, plain=plain, wrong=wrong) as upstreams:
            assert await asked(upstreams["known"], known) == "stop"
            assert await asked(upstreams["plain"], plain) == "stop"
            with pytest.raises(UpstreamUnavailable, match="its proxy says 407") as caught:
                await asked(upstreams["wrong"], wrong)
    assert "proxy-authorization" not in stub.requests[0].headers
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    assert not [word for word in ("hush-hush", "guess-guess") if word in told]


async def test_connections_outlive_a_change_and_end_with_their_last_user(
    reached: Reached, stub: StubProvider, ours: Certificates, other: Certificates
) -> None:
    async with tls_before(stub.url, ours) as url:
        away = Away(url, ours.ca_pem, private_ca=True)
        rotated = Away(url, other.ca_pem, private_ca=True)
        async with reached.upstreams(p=away) as first:
            await asked(first["p"], away)
            async with reached.upstreams(p=away, q=rotated) as second:
                await asked(second["p"], away)
                assert len(reached.ways.sessions) == 2
            assert len(reached.ways.sessions) == 1
        assert len(reached.ways.sessions) == 0
    first_peer, second_peer = (seen.peer for seen in stub.requests)
    assert first_peer == second_peer, "one connection for both"


async def test_what_is_kept_is_closed_once_and_made_anew() -> None:
    closed: list[str] = []

    async def close(thing: str) -> None:
        await asyncio.sleep(0)
        closed.append(thing)

    made = iter("ab")
    kept: Kept[Route, str] = Kept(lambda _: next(made), close)
    assert [kept.take(Route()) for _ in range(2)] == ["a", "a"]
    await kept.give_back(Route())
    assert closed == []
    await kept.give_back(Route())
    assert (closed, kept.take(Route())) == (["a"], "b")
