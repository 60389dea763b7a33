"""What Ollama has, on disk and in memory: looked at again and again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from penstock_operator.loader.errors import OllamaError
from penstock_operator.loader.ollama import Ollama
from penstock_operator.loader.wire import Installed, Running
from penstock_operator.loader.words import fit

AWAY_SECONDS: Final = 6.0
"""One look that fails for the machine is busy says little; after this nobody is there."""
SILENT_SECONDS: Final = 900.0
"""How long `/api/ps` may hang: it answers when what loads has loaded."""


@dataclass(frozen=True, slots=True)
class Look:
    """`problem` is empty as long as Ollama answers, or did a moment ago."""

    problem: str = "Ollama does not answer yet"
    installed: Mapping[str, Installed] = field(default_factory=dict)
    running: Mapping[str, Running] = field(default_factory=dict)
    at: float = float("-inf")
    """When `/api/tags` answered, by the loop's clock."""
    running_at: float | None = None
    """When `/api/ps` did; or where it has not yet, since when it is asked."""


class Looking:
    def __init__(self, ollama: Ollama, answer_seconds: float) -> None:
        self._ollama = ollama
        self._answer_seconds = answer_seconds
        self._last = Look()

    async def look(self) -> Look:
        """Never raises."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._answer_seconds):
                installed = await self._ollama.installed()
        except TimeoutError:
            self._last = self._silent(now)
        except OllamaError as error:
            self._last = Look(problem=fit(str(error)))
        else:
            found = replace(self._last, problem="", installed=installed, at=now)
            self._last = await self._with_running(found, now)
        return self._last

    def _silent(self, now: float) -> Look:
        if now - self._last.at <= AWAY_SECONDS:
            return self._last
        return Look(problem=f"Ollama has not answered for {AWAY_SECONDS:g} s")

    async def _with_running(self, found: Look, now: float) -> Look:
        """A newer Ollama keeps `/api/ps` waiting while a model loads: what was known stays."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                return replace(found, running=await self._ollama.running(), running_at=now)
        except TimeoutError:
            since = now if found.running_at is None else found.running_at
            if now - since <= SILENT_SECONDS:
                return replace(found, running_at=since)
            return Look(problem=f"/api/ps has not answered for {SILENT_SECONDS:g} s")
        except OllamaError as error:
            return Look(problem=fit(str(error)))
