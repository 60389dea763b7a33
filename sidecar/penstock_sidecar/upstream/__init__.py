"""Providers: one call of one candidate, over HTTP, in the provider's dialect."""

from penstock_sidecar.upstream.build import build_upstreams
from penstock_sidecar.upstream.session import open_session

__all__ = ["build_upstreams", "open_session"]
