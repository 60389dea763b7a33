"""Tokens of Microsoft Entra ID, from an authority that does as it is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from penstock_cli.stub import Status
from penstock_config.credentials import Credentials
from penstock_config.provider import Entra, Model, Provider, Timeouts
from penstock_config.schema import SidecarConfig
from penstock_sidecar.errors import UpstreamCredentials
from penstock_sidecar.model import Candidate
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.upstream import Directory, Hold, Ways, build_upstreams
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.entra import ASSERTION
from tests.fakes.authority import Authority, Garbage, Grant, Refuse, Reply
from tests.fakes.egress import egress
from tests.fakes.vendors.azure import AzureStub
from tests.sidecar.upstream.conftest import PROVIDER_ID, read

SECRET = "client-secret-of-the-shop"
BODY = b'{"model":"fast","messages":[{"role":"user","content":"Hi"}]}'


class Time:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


@dataclass
class Shop:
    """An Azure provider whose key is a token, and runtimes that reach it."""

    stub: AzureStub
    authority: Authority
    ways: Ways
    holds: list[Hold] = field(default_factory=list)

    def upstream(
        self, *, has_secret: bool = True, proxy_url: str | None = None, patience: float = 60
    ) -> Upstream:
        provider = self.provider(has_secret, proxy_url, patience)
        config = SidecarConfig(cluster="c", namespace="n", providers=(provider,))
        secrets = {PROVIDER_ID: SecretStr(SECRET)} if has_secret else {}
        credentials = Credentials(client_secrets=secrets, scope_key=SecretStr("s"))
        self.holds.append(self.ways.hold())
        return build_upstreams(config, credentials, self.holds[-1])[PROVIDER_ID]

    def provider(
        self, has_secret: bool = True, proxy_url: str | None = None, patience: float = 60
    ) -> Provider:
        return Provider(
            id=PROVIDER_ID,
            type="azure-openai",
            base_url=self.stub.url,
            needs_key=False,
            entra=Entra(tenant_id="tenant", client_id="client", has_secret=has_secret),
            proxy_url=proxy_url,
            models=(Model(name="m", upstream_name="dep", capabilities=("chat",)),),
            timeouts=Timeouts(first_token_seconds=patience, total_seconds=patience),
        )

    async def ask(self, upstream: Upstream) -> str | None:
        return (await read(upstream, self.call())).finish

    def call(self) -> Call:
        provider = self.provider()
        candidate = Candidate(provider, provider.models[0], "fast", "n/fast")
        return Call(parse_chat(BODY, {}, "call-1"), candidate, None)

    async def close(self) -> None:
        for hold in self.holds:
            await hold.close()
        self.holds.clear()

    @property
    def tokens(self) -> list[str]:
        return [seen.headers["authorization"] for seen in self.stub.requests]


@contextlib.asynccontextmanager
async def shops(
    *replies: Reply, clock: Time | None = None, token_file: Path | None = None
) -> AsyncIterator[Shop]:
    async with AzureStub() as stub, Authority() as authority:
        authority.queue.extend(replies)
        ways = Ways(Directory(authority.url, token_file), clock or Time())
        shop = Shop(stub, authority, ways)
        try:
            yield shop
        finally:
            await shop.close()
            assert (len(ways.tokens), len(ways.sessions)) == (0, 0)


async def test_a_token_of_the_application_stands_in_for_a_key() -> None:
    async with shops(Grant("token-1")) as shop:
        assert await shop.ask(shop.upstream()) == "stop"
        assert shop.tokens == ["Bearer token-1"]
        assert "api-key" not in shop.stub.requests[0].headers
        assert shop.authority.asked == [
            (
                "/tenant/oauth2/v2.0/token",
                {
                    "grant_type": "client_credentials",
                    "client_id": "client",
                    "client_secret": SECRET,
                    "scope": "https://cognitiveservices.azure.com/.default",
                },
            )
        ]


async def test_it_is_fetched_before_anybody_asks_and_once_for_all() -> None:
    hold = asyncio.Event()
    async with shops(Grant("token-1", first=hold)) as shop:
        upstreams = [shop.upstream(), shop.upstream()]
        await shop.authority.request(1)
        assert shop.stub.requests == []
        asking = [asyncio.create_task(shop.ask(each)) for each in upstreams for _ in range(5)]
        hold.set()
        assert await asyncio.gather(*asking) == ["stop"] * 10
        assert set(shop.tokens) == {"Bearer token-1"}
        assert len(shop.authority.asked) == 1


async def test_the_pod_s_own_identity_speaks_where_there_is_no_secret(tmp_path: Path) -> None:
    """Read anew each time: the kubelet replaces it within the hour."""
    file = tmp_path / "token"
    file.write_text("proof-1\n")
    async with shops(Grant("token-1", seconds=1), token_file=file) as shop:
        upstream = shop.upstream(has_secret=False)
        form = await shop.authority.request(1)
        assert (form["client_assertion"], form["client_assertion_type"]) == ("proof-1", ASSERTION)
        assert "client_secret" not in form
        await shop.ask(upstream)
        file.write_text("proof-2")
        assert (await shop.authority.request(2))["client_assertion"] == "proof-2"


async def test_it_is_replaced_before_it_ends_while_the_former_serves() -> None:
    gate = asyncio.Event()
    async with shops(Grant("token-1", seconds=1), Grant("token-2", first=gate)) as shop:
        upstream = shop.upstream()
        await shop.authority.request(2)
        assert await shop.ask(upstream) == "stop", "the clock stands: the first still holds"
        gate.set()
        while shop.tokens[-1] != "Bearer token-2":
            await shop.ask(upstream)
        assert shop.tokens[0] == "Bearer token-1"
        assert len(shop.authority.asked) == 2


REFUSALS = [
    (Refuse(), "invalid_client (AADSTS7000215)"),
    (Refuse(400, "unauthorized_client", 700016), "unauthorized_client (AADSTS700016)"),
    (Garbage(b"<html>ann@example.com</html>", 502), "its authority answers with status 502"),
    (Garbage(b'{"access_token": "x"}'), "no token in its answer"),
    (Garbage(b'{"access_token": "x\\n", "expires_in": 60}'), "no token in its answer"),
    (Garbage(b'{"error": "<b>ann@example.com"}'), "no token in its answer"),
]


@pytest.mark.parametrize(("reply", "why"), REFUSALS)
async def test_a_refusal_is_said_at_once_without_the_secret(
    reply: Reply, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with shops() as shop:
        shop.authority.always = reply
        upstream = shop.upstream()
        with pytest.raises(UpstreamCredentials) as caught:
            await shop.ask(upstream)
        error = caught.value
        assert (error.status, error.code) == (502, "upstream_credentials_exhausted")
        assert error.public == f"Microsoft Entra ID gives no token for {PROVIDER_ID}/m: {why}"
        assert error.retry_after_seconds is not None
        assert shop.stub.requests == []
    (record,) = [r for r in caplog.records if r.message == "entra.refused"][:1]
    assert vars(record)["reason"] == why
    told = caplog.text + error.public
    assert SECRET not in told
    assert "ann@example.com" not in told


async def test_failures_back_off_and_do_not_wait_for_callers() -> None:
    """Ten callers of a refused application make no request more."""
    async with shops() as shop:
        shop.authority.always = Refuse()
        upstream = shop.upstream()
        for _ in range(10):
            with pytest.raises(UpstreamCredentials):
                await shop.ask(upstream)
        assert len(shop.authority.asked) <= 2, "the pause after the first is a second"


async def test_after_failures_the_next_token_serves() -> None:
    async with shops(Refuse(500, "temporarily_unavailable", 90033)) as shop:
        upstream = shop.upstream()
        with pytest.raises(UpstreamCredentials):
            await shop.ask(upstream)
        await shop.authority.request(2)
        while not shop.stub.requests:
            await asyncio.sleep(0)  # let the answer come in
            with contextlib.suppress(UpstreamCredentials):
                assert await shop.ask(upstream) == "stop"
        assert shop.tokens == ["Bearer token-0"]


async def test_an_authority_that_is_away_is_said(tmp_path: Path) -> None:
    async with shops(token_file=tmp_path / "gone") as shop:
        await shop.authority.__aexit__()
        with pytest.raises(UpstreamCredentials, match="does not answer"):
            await shop.ask(shop.upstream())
        with pytest.raises(UpstreamCredentials, match="identity cannot be read: No such file"):
            await shop.ask(shop.upstream(has_secret=False))
        await shop.authority.__aenter__()


async def test_a_secret_goes_to_no_authority_in_clear() -> None:
    async with shops() as shop:
        ways = Ways(Directory("http://login.example.com"), Time())
        shop.ways = ways
        with pytest.raises(UpstreamCredentials, match="must be reached by https"):
            await shop.ask(shop.upstream())


@pytest.mark.parametrize("authority", ["", "login", "https://[", "https://x:99999"])
async def test_an_authority_that_is_no_address_is_said(authority: str) -> None:
    """And leaves nobody waiting."""
    async with shops() as shop:
        shop.ways = Ways(Directory(authority), Time())
        with pytest.raises(UpstreamCredentials, match="Microsoft Entra ID gives no token"):
            await shop.ask(shop.upstream())


async def test_who_waits_for_a_token_waits_no_longer_than_the_attempt_may() -> None:
    hold = asyncio.Event()
    async with shops(Grant("token-1", first=hold)) as shop:
        with pytest.raises(UpstreamCredentials, match="no token came in time"):
            await shop.ask(shop.upstream(patience=0.05))
        hold.set()


async def test_a_token_that_the_provider_turns_away_is_replaced_once_it_is_old() -> None:
    clock = Time()
    async with shops(Grant("token-1"), Grant("token-2"), clock=clock) as shop:
        upstream = shop.upstream()
        shop.stub.queue(Status(401), Status(401))
        with pytest.raises(UpstreamCredentials):
            await shop.ask(upstream)
        assert len(shop.authority.asked) == 1, "a young one is turned away for another reason"
        clock.now += 61
        with pytest.raises(UpstreamCredentials):
            await shop.ask(upstream)
        assert await shop.ask(upstream) == "stop"
        assert shop.tokens == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


async def test_tokens_are_fetched_by_the_provider_s_proxy() -> None:
    async with egress() as proxy, shops() as shop:
        assert await shop.ask(shop.upstream(proxy_url=proxy.url)) == "stop"
        assert proxy.asked[0] == f"POST {shop.authority.url}/tenant/oauth2/v2.0/token"
