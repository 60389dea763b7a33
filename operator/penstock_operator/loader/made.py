"""Which models were made from which orders: kept in the volume beside them.

Ollama keeps a made model, and not what it was made from; without this a changed order would go
unseen, and each start would make all of them again.
"""

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from penstock_operator.loader.naming import canonical

logger = logging.getLogger("penstock_operator.loader")
DIRECTORY: Final = ".penstock-made"
NAME_CHARACTERS: Final = 32


class Made(BaseModel):
    """`digest` of the model as `/api/tags` says it, `stamp` of its recipe."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stamp: str
    digest: str


class Register:
    """Read once per model and digest: another replica of the volume may have made it too."""

    def __init__(self, models_dir: Path) -> None:
        self._directory = models_dir / DIRECTORY
        self._known: dict[str, Made] = {}

    def is_made(self, name: str, made: Made) -> bool:
        if self._known.get(canonical(name)) != made and (read := self._read(name)) is not None:
            self._known[canonical(name)] = read
        return self._known.get(canonical(name)) == made

    def note(self, name: str, made: Made) -> None:
        """Known from now on; for later processes too, if the volume can be written."""
        self._known[canonical(name)] = made
        path = self._path(name)
        try:
            self._directory.mkdir(exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}")
            new.write_text(json.dumps(made.model_dump()))
            new.replace(path)
        except OSError as error:
            logger.warning("volume.not_writable", extra={"error": str(error)})

    def _read(self, name: str) -> Made | None:
        try:
            return Made.model_validate_json(self._path(name).read_bytes())
        except (OSError, ValidationError):
            return None

    def _path(self, name: str) -> Path:
        key = hashlib.sha256(canonical(name).encode()).hexdigest()[:NAME_CHARACTERS]
        return self._directory / key
