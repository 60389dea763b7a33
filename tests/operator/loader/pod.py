"""A pod without Kubernetes: a fake Ollama, a real loader, and their files. For tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp

from penstock_operator.loader.http import serve
from penstock_operator.loader.loop import Loader
from penstock_operator.loader.ollama import Ollama, new_session
from penstock_operator.loader.settings import LoaderSettings
from penstock_operator.ollama.progress import ModelProgress, Progress, decode_progress
from tests.fakes.ollama import FakeOllama, Script

PATIENCE_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.02
NOTHING: Final[Mapping[str, Any]] = {}


def order(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, **said}


class Pod:
    """`progress` is asked over HTTP, as the operator does."""

    def __init__(self, fake: FakeOllama, directory: Path) -> None:
        self.fake = fake
        self.directory = directory
        self.url = ""
        self.session: aiohttp.ClientSession | None = None

    def write(self, *orders: dict[str, Any], **said: Any) -> None:
        """As a kubelet replaces a mounted file: as a whole."""
        self.write_text(json.dumps({"models": orders, **said}))

    def write_text(self, text: str) -> None:
        new = self.directory / "models.json.new"
        new.write_text(text)
        new.replace(self.directory / "models.json")

    async def get(self, path: str) -> tuple[int, str]:
        assert self.session is not None
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    @property
    def loads(self) -> list[str]:
        """Models, one for each time that weights were loaded."""
        return self.fake.memory.loads

    def asked(self, path: str) -> list[object]:
        """Which models that path was asked for, in order."""
        return [body["model"] for body in self.fake.bodies(path)]

    async def progress(self) -> Progress:
        found = decode_progress((await self.get("/progress"))[1].encode())
        assert found is not None
        return found

    async def model(self, name: str) -> ModelProgress:
        models = {model.name: model for model in (await self.progress()).models}
        return models[name]

    async def until(self, fits: Callable[[Progress], bool]) -> Progress:
        """What it says once it fits."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while not fits(found := await self.progress()):
            assert loop.time() < deadline, f"still {found!r}"
            await asyncio.sleep(LOOK_SECONDS / 4)
        return found

    async def until_ready(self) -> Progress:
        return await self.until(lambda progress: progress.ready)

    async def until_state(self, name: str, *states: str) -> ModelProgress:
        """The model, once it is there and in one of them."""

        def fits(progress: Progress) -> bool:
            return any(m.name == name and m.state in states for m in progress.models)

        models = (await self.until(fits)).models
        return next(model for model in models if model.name == name)


def script(directory: Path, **said: Any) -> Script:
    return replace(Script(models_dir=directory / "models"), **said)


@asynccontextmanager
async def loader_beside(
    fake: FakeOllama, directory: Path, *orders: dict[str, Any], **settings: Any
) -> AsyncIterator[Pod]:
    """A loader that runs until the block ends. Without orders there is no file yet."""
    pod = Pod(fake, directory)
    if orders:
        pod.write(*orders)
    wanted: dict[str, Any] = {
        "models_file": directory / "models.json",
        "models_dir": fake.script.models_dir,
        "look_seconds": LOOK_SECONDS,
        "answer_seconds": 0.5,
        "retry_seconds": 0.3,
        **settings,
    }
    async with new_session() as session, aiohttp.ClientSession() as pod.session:
        loader = Loader(LoaderSettings(**wanted), Ollama(session, fake.url))
        running = asyncio.ensure_future(loader.run())
        try:
            async with serve("127.0.0.1", 0, loader.progress, loader.is_alive) as port:
                pod.url = f"http://127.0.0.1:{port}"
                yield pod
        finally:
            running.cancel()
            await asyncio.wait([running])
            assert running.cancelled(), running.exception()


@asynccontextmanager
async def pod_of(
    directory: Path, *orders: dict[str, Any], loader: Mapping[str, Any] = NOTHING, **said: Any
) -> AsyncIterator[Pod]:
    """With a fake Ollama of its own, which `said` scripts; `loader` are settings."""
    fake = FakeOllama(script(directory, **said))
    async with fake, loader_beside(fake, directory, *orders, **loader) as pod:
        yield pod
