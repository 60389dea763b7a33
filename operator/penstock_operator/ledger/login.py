"""The operator's own user at a Redis that nobody else has set up, as an ACL file."""

import hashlib
from typing import Final

USER: Final = "penstock-operator"
RULES: Final = (
    "allkeys resetchannels +@all -@dangerous +acl|setuser +acl|deluser +acl|users +acl|getuser "
    "+info +role +cluster|nodes +cluster|slots +cluster|shards +command"
)
"""As `docs/redis-users.md` asks of people."""
PROBE: Final = "penstock-probe"
"""Whom a kubelet's probe logs in as, with any password: it learns that Redis answers."""


def users_file(password: str) -> str:
    """What `--aclfile` reads: the operator, the probe, and nobody else.

    The file knows the password's SHA-256 alone.
    """
    digest = hashlib.sha256(password.encode()).hexdigest()
    lines = (
        "user default off",
        f"user {PROBE} on nopass resetchannels -@all +ping",
        f"user {USER} on #{digest} {RULES}",
    )
    return "".join(f"{line}\n" for line in lines)
