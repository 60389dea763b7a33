"""Who shares what is kept: the hard bounds within which it is found again."""

from typing import Literal

from penstock_sidecar.model import ANONYMOUS, Caller

Scope = Literal["App", "User", "Namespace"]


def within(scope: Scope, caller: Caller) -> tuple[str, ...] | None:
    """What a caller shares with those of the same scope, beside the policy's own place. A user is
    one of an app: another app may claim any user's name. None for those whom nobody has named,
    where each user has his own."""
    match scope:
        case "Namespace":
            return ()
        case "App":
            return (caller.app,)
        case "User":
            return None if caller.user == ANONYMOUS else (caller.app, caller.user)
