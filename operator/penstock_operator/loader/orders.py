"""`models.json`, read again when it changes. A bad file changes nothing, and is spoken of."""

import logging
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from penstock_operator.loader.words import fit
from penstock_operator.ollama.models_file import ModelsFile

logger = logging.getLogger("penstock_operator.loader")
MAX_BYTES: Final = 1024 * 1024


class Orders:
    """The last good file; `problem` says what is wrong with the present one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data: bytes | None = None
        self.file: ModelsFile | None = None
        self.problem = ""

    def read(self) -> None:
        """Blocks for a small file. A mounted ConfigMap's is replaced as a whole."""
        try:
            data = self._path.read_bytes()[: MAX_BYTES + 1]
        except OSError as error:
            self._say(f"{self._path}: {error.strerror}")
            self._data = None
            return
        if data == self._data:
            return
        self._data = data
        self._take(data)

    def _take(self, data: bytes) -> None:
        if len(data) > MAX_BYTES:
            self._say(f"{self._path} is larger than {MAX_BYTES} bytes")
            return
        try:
            self.file = ModelsFile.model_validate_json(data)
        except ValidationError as error:
            self._say(f"{self._path}: {_told(error)}")
            return
        self.problem = ""
        logger.info("models_file.read", extra={"models": len(self.file.models)})

    def _say(self, problem: str) -> None:
        kept = "; the last good one is used" if self.file is not None else ""
        problem = fit(problem + kept)
        if problem != self.problem:
            logger.error("models_file.refused", extra={"problem": problem})
        self.problem = problem


def _told(error: ValidationError) -> str:
    """The first thing that is wrong, without the value that is."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
