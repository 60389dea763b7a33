"""Which of three priorities a request has: its policy's, or a lower one that it asks for."""

from collections.abc import Mapping
from typing import Final, Literal

Priority = Literal["Low", "Normal", "High"]
HEADER: Final = "x-penstock-priority"
RANK: Final[Mapping[Priority, int]] = {"Low": 0, "Normal": 1, "High": 2}
_ASKED: Final[Mapping[str, Priority]] = {"low": "Low", "normal": "Normal", "high": "High"}


def priority_of(policy: Priority, headers: Mapping[str, str]) -> Priority:
    """A caller can only step back; a word that is none of the three says nothing."""
    said = headers.get(HEADER)
    if said is None:
        return policy
    asked = _ASKED.get(said.strip().lower(), policy)
    return min(policy, asked, key=RANK.__getitem__)
