"""A Redis that is away, or that does not answer: the proxy of `tests.fakes` in front of it."""

from tests.fakes.proxy import Proxy as Relay
from tests.fakes.proxy import proxied as relay

__all__ = ["Relay", "relay"]
