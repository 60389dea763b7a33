"""The Lua scripts: each operation follows the shared ledger, and what else it needs.

A server defines all functions of a script anew with each call, which costs as much as the work: so
an acquire is put together of what the limits in question need.
"""

from collections.abc import Collection, Mapping
from typing import Final

from penstock_sidecar.store import Script, script_of

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "w": ("window", "acquire/window"),
    "g": ("smooth", "acquire/smooth"),
    "d": ("acquire/period", "acquire/day"),
    "m": ("acquire/period", "acquire/money"),
    "c": ("acquire/slots",),
}
"""What each kind of limit needs."""
_ORDER: Final = (
    "ledger",
    "window",
    "smooth",
    "sweep",
    "acquire/begin",
    "acquire/period",
    "acquire/window",
    "acquire/smooth",
    "acquire/day",
    "acquire/money",
    "acquire/slots",
    "acquire/subjects",
    "acquire/turns",
    "acquire/take",
)


def acquire(kinds: Collection[str], *, subjects: bool, turns: bool) -> Script:
    """For limits of these kinds; with subjects that are told apart, and apps that wait."""
    wanted = {"ledger", "sweep", "acquire/begin", "acquire/take"}
    wanted.update(part for kind in kinds for part in KINDS[kind])
    wanted.update(("acquire/subjects",) if subjects else ())
    wanted.update(("acquire/turns",) if turns else ())
    return script_of(__package__, "acquire", *(part for part in _ORDER if part in wanted))


ACQUIRE: Final = acquire(KINDS, subjects=True, turns=True)
"""For everything there is."""
SETTLE: Final = script_of(__package__, "settle", "ledger", "window", "smooth", "totals", "settle")
RENEW: Final = script_of(__package__, "renew", "ledger", "sweep", "renew")
PUBLISH: Final = script_of(
    __package__, "publish", "ledger", "window", "smooth", "sweep", "totals", "publish"
)
