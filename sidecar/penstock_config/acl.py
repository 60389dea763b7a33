"""What the Redis users of sidecars and of the embedder may do: the rules of ACL SETUSER, for the
operator and for people.

    ACL SETUSER team-a reset on >PASSWORD <acl_rules((
        Group.of_namespace(cluster, "team-a").tag,
        Group.of_provider(cluster, "team-a/openai").tag,
        cache_tag(cluster, "team-a"),
    ))>

No EVAL: scripts come by SCRIPT LOAD and run by EVALSHA, on the keys that they declare. The default
user is to be switched off (`ACL SETUSER default off`) once others exist.
"""

import re
from collections.abc import Iterable
from typing import Final

CONNECTION: Final = ("ping", "select", "role", "asking", "cluster|slots", "cluster|info")
"""To log in, to know a master (Sentinel), to find one's way (Cluster)."""
SCRIPTS: Final = ("evalsha", "script|load")
CACHE: Final = ("get", "getrange", "set", "del", "zrange")
WARMING: Final = ("xack", "xautoclaim", "xgroup|create", "xreadgroup")
"""To claim prompts."""
LIMITS: Final = (
    "time",
    "exists",
    "pexpire",
    "pexpireat",
    "pttl",
    "hdel",
    "hexists",
    "hget",
    "hgetall",
    "hincrby",
    "hmget",
    "hset",
    "zadd",
    "zcard",
    "zcount",
    "zmscore",
    "zrangebyscore",
    "zrem",
    "zremrangebyrank",
    "zremrangebyscore",
    "zscore",
)
"""What the limiter's scripts call, and that of the breakers: Redis checks them against the user who
runs the script."""
COMMANDS: Final = (*CONNECTION, *SCRIPTS, *CACHE, *WARMING, *LIMITS)

EMBEDDER: Final = (
    *CONNECTION,
    *SCRIPTS,
    "cluster|nodes",
    "cluster|shards",
    "command",
    "time",
    "del",
    "exists",
    "hdel",
    "hexists",
    "hget",
    "hlen",
    "hmget",
    "hscan",
    "hset",
    "pexpire",
    "pexpireat",
    "pttl",
    "sadd",
    "scard",
    "smembers",
    "srem",
    "xadd",
    "xrange",
    "xrevrange",
)
"""What the embedder calls, its scripts and its client among a Cluster's nodes too."""

_SPECIAL: Final = re.compile(r"([*?\[\]\\])")


def acl_rules(tags: Iterable[str]) -> tuple[str, ...]:
    """Nothing but `COMMANDS`, on keys that begin with one of the tags and a colon.

    To follow `reset`; the login is the caller's to add.
    """
    patterns = (f"~{_literal(tag)}:*" for tag in tags)
    return ("resetchannels", "-@all", *patterns, *(f"+{name}" for name in COMMANDS))


def embedder_rules(cluster: str) -> tuple[str, ...]:
    """Nothing but `EMBEDDER`, on the vectors of every namespace and their news: no answer that is
    kept, and no prompt, lies there. To follow `reset`, as `acl_rules`.
    """
    caches = f"{_literal(cluster)}:c:*"
    patterns = (f"~{caches}:v", f"~{caches}:{{*}}:v:*")
    return ("resetchannels", "-@all", *patterns, *(f"+{name}" for name in EMBEDDER))


def cache_tag(cluster: str, namespace: str) -> str:
    """What the keys of a namespace's cached answers begin with."""
    return f"{cluster}:c:{namespace}"


def _literal(text: str) -> str:
    """Redis's patterns know `*`, `?`, `[...]`, and a backslash before one of them."""
    return _SPECIAL.sub(r"\\\1", text)
