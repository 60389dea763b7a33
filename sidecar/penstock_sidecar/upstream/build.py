"""From configuration to the upstreams of its providers."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final

from penstock_config.credentials import Credentials
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.errors import UpstreamMisconfigured
from penstock_sidecar.model import Answer
from penstock_sidecar.trust import BadAuthorities
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.entra import Application, Token
from penstock_sidecar.upstream.first_content import FirstContent
from penstock_sidecar.upstream.plans import plan_of
from penstock_sidecar.upstream.provider import ProviderUpstream
from penstock_sidecar.upstream.session import Route, proxy_headers
from penstock_sidecar.upstream.ways import Reach
from penstock_sidecar.upstream.wire import Outlet, Wire

NO_AUTHORITIES: Final = "its authorities cannot be read: check the Secret of tls.caSecretRef"


def build_upstreams(
    config: SidecarConfig, credentials: Credentials, reach: Reach, clock: Clock | None = None
) -> Mapping[str, Upstream]:
    """By the provider's id."""
    clock = clock or SystemClock()
    return {
        provider.id: _upstream(provider, credentials, reach, clock) for provider in config.providers
    }


def _upstream(provider: Provider, credentials: Credentials, reach: Reach, clock: Clock) -> Upstream:
    route = _route(provider, credentials)
    try:
        outlet = Outlet(reach.session(route), proxy_headers(route))
    except BadAuthorities:
        return Unusable(NO_AUTHORITIES)
    keys = _keys(provider, credentials)
    wire = Wire(provider, keys, outlet, clock, _token(provider, credentials, reach))
    return FirstContent(ProviderUpstream(provider, plan_of(provider), wire, clock))


def _route(provider: Provider, credentials: Credentials) -> Route:
    """Authorities that are wanted and not there are bad ones: nobody else is trusted instead."""
    ca_pem = credentials.authorities.get(provider.id, "") if provider.private_ca else None
    return replace(_way_out(provider, credentials), ca_pem=ca_pem)


def _way_out(provider: Provider, credentials: Credentials) -> Route:
    login = credentials.proxy_logins.get(provider.id) if provider.proxy_login else None
    return Route(proxy_url=provider.proxy_url, proxy_login=login)


def _token(provider: Provider, credentials: Credentials, reach: Reach) -> Token | None:
    entra = provider.entra
    if entra is None:
        return None
    secret = credentials.client_secrets.get(provider.id) if entra.has_secret else None
    route = _way_out(provider, credentials)
    return reach.token(Application(entra.tenant_id, entra.client_id, secret, route))


def _keys(provider: Provider, credentials: Credentials) -> list[str]:
    """Usable ones: a Secret's value often ends in a newline, which no header may hold."""
    keys = [
        key.get_secret_value().strip() for key in credentials.provider_keys.get(provider.id, ())
    ]
    return [key for key in keys if key and key.isascii() and key.isprintable()]


class Unusable:
    """A provider that cannot be asked; the others can."""

    def __init__(self, why: str) -> None:
        self._why = why

    def call(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        raise UpstreamMisconfigured(f"{call.candidate.label}: {self._why}")
