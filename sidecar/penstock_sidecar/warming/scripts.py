"""What warming asks of Redis, each in one script."""

from typing import Final

from penstock_sidecar.store import script_of

CLAIM: Final = script_of(__package__, "claim")
POPULAR: Final = script_of(__package__, "popular")
