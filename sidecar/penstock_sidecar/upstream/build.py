"""From configuration to the upstreams of its providers."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from aiohttp import ClientSession

from penstock_config.credentials import Credentials
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.errors import UpstreamMisconfigured
from penstock_sidecar.model import Answer
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.first_content import FirstContent
from penstock_sidecar.upstream.plans import plan_of
from penstock_sidecar.upstream.provider import ProviderUpstream
from penstock_sidecar.upstream.wire import Wire


def build_upstreams(
    config: SidecarConfig,
    credentials: Credentials,
    session: ClientSession,
    clock: Clock | None = None,
) -> Mapping[str, Upstream]:
    """By the provider's id."""
    clock = clock or SystemClock()
    return {
        provider.id: _upstream(provider, _keys(provider, credentials), session, clock)
        for provider in config.providers
    }


def _upstream(
    provider: Provider, keys: list[str], session: ClientSession, clock: Clock
) -> Upstream:
    plan = plan_of(provider)
    if plan is None:
        return Unspoken(provider.type)
    wire = Wire(provider, keys, session, clock)
    return FirstContent(ProviderUpstream(provider, plan, wire, clock))


def _keys(provider: Provider, credentials: Credentials) -> list[str]:
    """Usable ones: a Secret's value often ends in a newline, which no header may hold."""
    keys = [
        key.get_secret_value().strip() for key in credentials.provider_keys.get(provider.id, ())
    ]
    return [key for key in keys if key and key.isascii() and key.isprintable()]


class Unspoken:
    """A provider whose protocol this version does not speak."""

    def __init__(self, provider_type: str) -> None:
        self._type = provider_type

    def call(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        raise UpstreamMisconfigured(
            f"{call.candidate.label}: type {self._type} is not spoken by this version"
        )
