"""What Redis's error replies mean: pure.

A script is not undone when it fails half-way, but what follows is refused before anything is done:
the command itself, or a script at its first write (Redis 6.2 to 8 and Valkey check memory, role,
disk and replicas only then). Every other error of a script (WRONGTYPE, NOPERM, an error of its own)
may come after some of its writes.
"""

import re
from typing import Final

import hiredis

from penstock_sidecar.store import StoreUnavailable

NOT_BEGUN: Final = frozenset(
    {
        "ASK",
        "BUSY",
        "CLUSTERDOWN",
        "CROSSSLOT",
        "LOADING",
        "MASTERDOWN",
        "MISCONF",
        "MOVED",
        "NOAUTH",
        "NOREPLICAS",
        "NOSCRIPT",
        "OOM",
        "READONLY",
        "TRYAGAIN",
    }
)
_INSIDE: Final = re.compile(r"@user_script: ?\d+: -([A-Z]+) ")
"""Redis 6.2 wraps what a script met: `ERR Error running script (...): @user_script:1: -OOM ...`."""


def code_of(error: hiredis.ReplyError) -> str:
    """Such as `OOM`; the rest of an error's text may hold keys."""
    text = str(error)
    if text.startswith("ERR") and (inside := _INSIDE.search(text)):
        return inside[1]
    return text.partition(" ")[0]


def unavailable(error: hiredis.ReplyError, *, script: bool) -> StoreUnavailable:
    """A command that Redis refuses was not done; a script perhaps in part."""
    code = code_of(error)
    return StoreUnavailable(code, sent=script and code not in NOT_BEGUN)
