"""What is known: recorded answers and requests in every dialect, and whatever was found wrong.

`known/streams/<dialect>`, `known/wholes/<dialect>`, `known/requests/<api>`: bytes as on the wire.
`known/found`: inputs that once broke something, with what is needed to try them again.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tests.fuzz.target import Way

ROOT: Final = Path(__file__).parent / "known"
What = Literal["streams", "wholes", "requests"]


def seeds(what: What, name: str) -> Sequence[bytes]:
    """In order of their names, so that a random number means the same everywhere."""
    return [path.read_bytes() for path in sorted((ROOT / what / name).iterdir())]


@dataclass(frozen=True, slots=True)
class Found:
    """An input, for one way."""

    what: What
    way: Way
    data: bytes
    places: tuple[int, ...] = ()

    def save(self, why: str) -> Path:
        document = {
            "why": why,
            "what": self.what,
            "api": self.way.api,
            "type": self.way.type,
            "data": base64.b64encode(self.data).decode(),
            "places": self.places,
        }
        name = hashlib.sha256(self.data).hexdigest()[:12]
        path = ROOT / "found" / f"{self.what}-{self.way.api}-{self.way.type}-{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        return path


def found(path: Path) -> Found:
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    way = Way(document["api"], document["type"])
    data = base64.b64decode(document["data"])
    return Found(document["what"], way, data, tuple(document["places"]))


FOUND: Final = sorted((ROOT / "found").glob("*.json"))
