"""What the log hears of Redis: changes alone, never each call."""

import logging
import ssl

import hiredis

from penstock_sidecar.redis_store.connection import ConnectionLost
from penstock_sidecar.redis_store.refusal import code_of

log = logging.getLogger("penstock_sidecar.redis_store")


class News:
    """Of one node, or of a whole Cluster."""

    def __init__(self) -> None:
        self.latest = ""

    def tell(self, state: str, where: str, why: str = "") -> None:
        """`state` is `available`, `away` or `closed`."""
        if self.latest != state:
            self.latest = state
            level = logging.WARNING if state == "away" else logging.INFO
            log.log(level, "redis.%s", state, extra={"why": why, "redis": where})

    def refused(self, code: str, where: str) -> None:
        """An error reply: out of memory, loading, no permission, a replica."""
        if self.latest != code:
            self.latest = code
            log.warning("redis.refused", extra={"code": code, "redis": where})


def reason(error: Exception) -> str:
    """Why a dial failed, in words that hold no secret."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate not trusted: {error.verify_message}"
        case hiredis.ReplyError():
            return code_of(error)
        case ConnectionLost():
            return str(error)
        case _:
            return type(error).__name__
