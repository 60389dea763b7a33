"""Questions of real people with their intents: BANKING77 and CLINC150, or the excerpt beside this.

The whole sets are read from `../shared/data` next to the repository, or from where `--sets` says;
`data/README.md` has their licences. Nothing here knows the cache.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

HERE: Final = Path(__file__).parent
WHOLE_SETS: Final = HERE.parents[3] / "shared" / "data"
EXCERPT: Final = HERE / "data" / "excerpt.tsv"
OUT_OF_SCOPE: Final = "oos"
"""CLINC150's questions that none of its intents covers."""
SETS: Final = ("banking77", "clinc150")
APOSTROPHES: Final = str.maketrans("", "", "'\u2019")
EXCERPT_INTENTS: Final = 5
EXCERPT_OUT_OF_SCOPE: Final = 60


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody asked, and what for."""

    source: str
    intent: str
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """In lower case; apostrophes part no words."""
        return tuple(re.findall(r"\w+", self.text.lower().translate(APOSTROPHES)))


def whole(folder: Path = WHOLE_SETS) -> tuple[Query, ...]:
    """Both sets without those that repeat another's words, in the files' order. Raises `OSError`
    where they are not."""
    found = [*_banking77(folder), *_clinc150(folder)]
    return tuple({(query.source, query.words): query for query in reversed(found)}.values())[::-1]


def excerpt() -> tuple[Query, ...]:
    """All questions of a few intents of each set, and a few out of scope."""
    lines = EXCERPT.read_text("utf-8").splitlines()
    return tuple(Query(*line.split("\t")) for line in lines)


def excerpted(queries: Sequence[Query]) -> tuple[Query, ...]:
    """Which of the whole sets the excerpt holds; seeded."""
    random = Random("excerpt 1")
    chosen: list[Query] = []
    for source in SETS:
        intents = sorted({q.intent for q in queries if q.source == source} - {OUT_OF_SCOPE})
        kept = set(random.sample(intents, EXCERPT_INTENTS))
        chosen += [q for q in queries if q.source == source and q.intent in kept]
    beside = [q for q in queries if q.intent == OUT_OF_SCOPE]
    return (*chosen, *random.sample(beside, EXCERPT_OUT_OF_SCOPE))


def _banking77(folder: Path) -> Iterator[Query]:
    for part in ("train", "test"):
        with (folder / f"banking77-{part}.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield Query("banking77", row["category"], " ".join(row["text"].split()))


def _clinc150(folder: Path) -> Iterator[Query]:
    parts = json.loads((folder / "clinc150-full.json").read_text("utf-8"))
    for part in sorted(parts):
        for text, intent in parts[part]:
            yield Query("clinc150", intent, " ".join(text.split()))
