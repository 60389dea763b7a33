"""What scripts declared and what they touched, read off MONITOR."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

LINE: Final = re.compile(rb"^\+[\d.]+ \[\d+ (\S+)\] (.*)$")
ARGUMENT: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')
KEYLESS: Final = {"TIME"}
KEYS_ALONE: Final = {"EXISTS"}
ONE_KEY: Final = {
    *("HDEL", "HEXISTS", "HGET", "HINCRBY", "HMGET", "HSET", "PEXPIRE", "PTTL", "ZADD", "ZCARD"),
    *("ZCOUNT", "ZMSCORE", "ZRANGEBYSCORE", "ZREM", "ZREMRANGEBYSCORE", "ZSCORE"),
}
"""Commands whose first argument is their only key; of another nobody here knows its keys."""


@dataclass(slots=True)
class Call:
    """One EVALSHA. A script runs alone, so what `lua` does next is its doing."""

    sha: str
    declared: frozenset[str]
    touched: set[str] = field(default_factory=set)


def script_calls(lines: Sequence[bytes]) -> Iterator[Call]:
    """Those of which the end was seen; fails on a command whose keys are not known."""
    call: Call | None = None
    for match in filter(None, map(LINE.match, lines)):
        words = [word.decode() for word in ARGUMENT.findall(match[2])]
        if match[1] == b"lua":
            assert call, "a script whose begin was missed"
            call.touched |= _keys(*words)
        elif words[0].upper() == "EVALSHA":
            if call:
                yield call
            call = Call(words[1], frozenset(words[3 : 3 + int(words[2])]))


def _keys(command: str, *arguments: str) -> set[str]:
    assert command in KEYLESS | KEYS_ALONE | ONE_KEY, f"which keys has {command}?"
    if command in KEYS_ALONE:
        return set(arguments)
    return set(arguments[:1]) if command in ONE_KEY else set()
