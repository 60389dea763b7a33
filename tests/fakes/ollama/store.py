"""A fake Ollama's models directory: manifests and blobs, files that several servers may share."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.fakes.ollama.script import full_name

PLACEHOLDER = b"weights of a model that never was"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A model on disk."""

    name: str
    weights: str
    """Digest of the blob with its weights."""
    size: int
    adapters: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    system: str = ""
    template: str = ""

    @property
    def digest(self) -> str:
        """Without `sha256:`, as `/api/tags` says it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def layers(self) -> frozenset[str]:
        return frozenset({self.weights, *self.adapters})


class Store:
    def __init__(self, models_dir: Path) -> None:
        self._manifests = models_dir / "manifests"
        self.blobs = models_dir / "blobs"
        for directory in (self._manifests, self.blobs):
            directory.mkdir(parents=True, exist_ok=True)

    def models(self) -> Iterator[Manifest]:
        for path in sorted(self._manifests.iterdir()):
            found = json.loads(path.read_text())
            yield Manifest(**found | {"adapters": tuple(found["adapters"])})

    def find(self, name: str) -> Manifest | None:
        wanted = full_name(name).lower()
        return next((each for each in self.models() if each.name.lower() == wanted), None)

    def write(self, manifest: Manifest) -> None:
        for layer in manifest.layers:
            if not self.has_blob(layer):
                self.blob(layer).write_bytes(PLACEHOLDER)
        self._path(manifest.name).write_text(json.dumps(asdict(manifest)))

    def delete(self, manifest: Manifest) -> None:
        """Layers of other models stay."""
        self._path(manifest.name).unlink()
        used = frozenset[str]().union(*(each.layers for each in self.models()))
        for layer in manifest.layers - used:
            self.blob(layer).unlink(missing_ok=True)

    def modified_at(self, manifest: Manifest) -> str:
        modified = self._path(manifest.name).stat().st_mtime
        return datetime.fromtimestamp(modified, UTC).isoformat()

    def blob(self, digest: str) -> Path:
        return self.blobs / digest.replace(":", "-")

    def has_blob(self, digest: str) -> bool:
        return self.blob(digest).is_file()

    def partial(self, digest: str) -> Path:
        """How much of it there is, as a number in a file: a pull goes on from there."""
        return self.blobs / f"{digest.replace(':', '-')}-partial"

    def _path(self, name: str) -> Path:
        return self._manifests / f"{quote(name, safe='')}.json"
