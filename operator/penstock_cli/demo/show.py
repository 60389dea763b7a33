"""Plays the demo and prints it."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

import aiohttp
from rich.text import Text

from penstock_cli.demo.chapters import CHAPTERS
from penstock_cli.demo.stage import Stage, stage
from penstock_cli.demo.story import Chapter, Shown, Unexpected
from penstock_cli.interruption import until_signalled
from penstock_cli.output import print_json, stderr, stdout

CHAPTER_SECONDS: Final = 30
LOG_LINES: Final = 20
INTERRUPTED: Final = 130
"""A shell's exit status for a program that Ctrl-C ended."""


@dataclass(frozen=True, slots=True)
class Played:
    """A chapter, and what came of it: `failure` is empty where all came true."""

    chapter: Chapter
    shown: Shown | None
    failure: str
    seconds: float

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.chapter.name,
            "title": self.chapter.title,
            "ok": not self.failure,
            "facts": dict(self.shown.facts) if self.shown else {},
            "why": self.shown.why if self.shown else "",
            "failure": self.failure,
            "seconds": round(self.seconds, 3),
        }


class Show:
    """One performance."""

    def __init__(self, *, as_json: bool, keep: bool) -> None:
        self._as_json = as_json
        self._keep = keep
        self._console = stderr() if as_json else stdout()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._played: list[Played] = []

    def run(self) -> int:
        """0 when every chapter came true, else 1. Raises a `Failure` where none can be played."""
        began = time.monotonic()
        interrupted = asyncio.run(until_signalled(self._perform()))
        ok = len(self._played) == len(CHAPTERS) and not any(p.failure for p in self._played)
        if self._as_json:
            chapters = [played.as_json() for played in self._played]
            seconds = round(time.monotonic() - began, 3)
            print_json({"ok": ok, "seconds": seconds, "chapters": chapters})
        if interrupted and len(self._played) < len(CHAPTERS):
            return INTERRUPTED
        return 0 if ok else 1

    async def _perform(self) -> None:
        waiting = self._console.status("Starting Redis, three scripted providers, two sidecars")
        waiting.start()
        try:
            async with stage(self._log.append) as built:
                waiting.stop()
                self._console.print(_opening(built))
                await self._play_all(built)
                self._close()
                if self._keep:
                    self._console.print(_kept(built))
                    await asyncio.Event().wait()
        finally:
            waiting.stop()

    async def _play_all(self, built: Stage) -> None:
        for number, chapter in enumerate(CHAPTERS, 1):
            with self._console.status(chapter.title):
                played = await _play(chapter, built)
            self._played.append(played)
            self._console.print(_told(number, played))

    def _close(self) -> None:
        failed = [played.chapter.name for played in self._played if played.failure]
        if not failed:
            self._console.print(f"All {len(CHAPTERS)} came true.", style="bold green")
            return
        self._console.print(f"Not as promised: {', '.join(failed)}", style="bold red")
        self._console.print("The sidecars' last words:")
        self._console.print(Text("\n".join(self._log), "dim"), soft_wrap=True)


async def _play(chapter: Chapter, built: Stage) -> Played:
    began = time.monotonic()
    shown, failure = None, ""
    try:
        async with asyncio.timeout(CHAPTER_SECONDS):
            shown = await chapter.play(built)
    except Unexpected as unexpected:
        failure = str(unexpected)
    except TimeoutError:
        failure = f"not over after {CHAPTER_SECONDS} s"
    except aiohttp.ClientError as error:
        failure = f"{error.__class__.__name__}: {error}"
    return Played(chapter, shown, failure, time.monotonic() - began)


def _opening(built: Stage) -> Text:
    pods = " and ".join(f"{pod.name} ({pod.url})" for pod in built.pods)
    return Text.assemble(
        "Two sidecars of one application share a Redis: ",
        (pods, "bold"),
        ".\nThe providers are scripted; everything else is what runs in a cluster.\n",
    )


def _told(number: int, played: Played) -> Text:
    mark = ("failed ", "bold red") if played.failure else ("ok ", "bold green")
    text = Text.assemble(f"{number} ", (played.chapter.title, "bold"), "  ", mark)
    text.append(f"{played.seconds:.1f} s\n", "dim")
    if played.failure:
        return text.append(f"   {played.failure}\n", "red")
    for name, value in played.shown.facts if played.shown else ():
        text.append(f"   {name}: ", "cyan").append(f"{value}\n")
    return text.append(f"   {played.shown.why if played.shown else ''}\n", "dim")


def _kept(built: Stage) -> Text:
    return Text(f"Kept running, model auto: {built.pods[0].url}. Ctrl-C ends it.", "bold")
