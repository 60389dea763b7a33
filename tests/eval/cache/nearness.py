"""How near texts are, asked of the embedder's environment and remembered between runs."""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

ROOT: Final = Path(__file__).parents[3]
PYTHON: Final = ROOT / ".venvs" / "embedder" / "bin" / "python"
REMEMBERED: Final = ROOT / ".cache" / "eval-cache"
LEAST: Final = 0.9
"""The lowest threshold that is looked at."""

Near = tuple[int, float]
"""A place in the stream, and the similarity."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """What the embedder said."""

    encoder: str
    window: int
    tokens: Mapping[str, int]
    """Of each text."""
    pairs: Sequence[float]
    streams: Mapping[str, Sequence[Sequence[Near]]]
    """Of each text of a stream, who is near before it, the nearest first."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What there is to ask; in one go, for the weights take a while to load."""

    pairs: Sequence[tuple[str, str]] = ()
    streams: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def document(self) -> tuple[list[str], dict[str, object]]:
        streamed = (text for stream in self.streams.values() for text in stream)
        paired = (text for pair in self.pairs for text in pair)
        texts = list(dict.fromkeys((*paired, *streamed)))
        place = {text: index for index, text in enumerate(texts)}
        return texts, {
            "texts": texts,
            "pairs": [(place[one], place[other]) for one, other in self.pairs],
            "streams": {name: [place[t] for t in stream] for name, stream in self.streams.items()},
            "least": LEAST,
        }


def asked(inquiry: Inquiry, python: Path = PYTHON, remembered: Path = REMEMBERED) -> Nearness:
    """Takes minutes for the whole sets, the first time."""
    texts, document = inquiry.document()
    body = orjson.dumps(document)
    kept = remembered / f"{hashlib.sha256(body).hexdigest()}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_told(body, python))
    said: dict[str, Any] = orjson.loads(kept.read_bytes())
    return Nearness(
        encoder=said["encoder"],
        window=said["window"],
        tokens=dict(zip(texts, said["tokens"], strict=True)),
        pairs=said["pairs"],
        streams=said["streams"],
    )


def in_stream(texts: Sequence[str], near: Sequence[Sequence[Near]]) -> list[Sequence[Near]]:
    """For each text of a stream with repeats who is near before it, by their first places, from
    what `near` says of the stream without repeats. A repeat is near to what its first was near to:
    what was found once is found again, for a cache only grows here."""
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    places = list(first.values())
    number = {text: index for index, text in enumerate(first)}
    moved = [[(places[index], likeness) for index, likeness in found] for found in near]
    return [moved[number[text]] for text in texts]


def _told(body: bytes, python: Path) -> bytes:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(ROOT / "sidecar"), str(ROOT))),
        "HF_HUB_OFFLINE": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [str(python), "-m", "tests.eval.cache.vectors"]
    done = subprocess.run(command, input=body, stdout=subprocess.PIPE, env=environment, check=True)
    return done.stdout
