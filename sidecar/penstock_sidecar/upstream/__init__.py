"""Providers: one call of one candidate, over HTTP, in the provider's dialect."""

from penstock_sidecar.upstream.build import build_upstreams
from penstock_sidecar.upstream.entra import Directory
from penstock_sidecar.upstream.session import open_session
from penstock_sidecar.upstream.ways import Hold, Ways

__all__ = ["Directory", "Hold", "Ways", "build_upstreams", "open_session"]
