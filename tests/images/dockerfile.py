"""A Dockerfile's instructions, as far as the rules in this directory ask for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DOCKERFILES: Final[Mapping[str, str]] = {
    "operator": "operator/Dockerfile",
    "sidecar": "sidecar/Dockerfile",
    "embedder": "sidecar/embedder.Dockerfile",
}
"""Of each image, from the repository's root."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """`RUN`, `COPY`, ... with what follows; continued lines are one, comments are gone."""

    name: str
    value: str


def instructions(path: Path) -> list[Instruction]:
    """In order. A line that is no instruction is a `ValueError`."""
    lines = [line for line in path.read_text("utf-8").splitlines() if not re.match(r"\s*#", line)]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [_parsed(line) for line in joined.splitlines() if line.strip()]


def last_stage(found: list[Instruction]) -> list[Instruction]:
    """What becomes the image: all from the last FROM on."""
    start = max(index for index, each in enumerate(found) if each.name == "FROM")
    return found[start:]


def values(found: list[Instruction], name: str) -> list[str]:
    return [each.value for each in found if each.name == name]


def _parsed(line: str) -> Instruction:
    match = re.fullmatch(r"([A-Z]+)\s+(\S.*)", line)
    if match is None:
        msg = f"no instruction: {line!r}"
        raise ValueError(msg)
    return Instruction(match[1], match[2].rstrip())
