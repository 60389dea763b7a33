"""The one Ollama of this pod, over HTTP: the loader's only way to it."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from penstock_operator.loader.errors import Away, Refused
from penstock_operator.loader.naming import canonical
from penstock_operator.loader.wire import Failure, Installed, Line, Ps, Running, Shown, Tags

FAILING: Final = 400
FOREVER: Final = -1
NOT_GENERATING: Final = "does not support generate"
"""What `/api/generate` says of a model that makes embeddings."""
SUCCESS: Final = "success"
MAX_ERROR_BYTES: Final = 4096
T = TypeVar("T", bound=BaseModel)


class Ollama:
    """Deadlines are the caller's (`asyncio.timeout`). Raises `Refused` and `Away`."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def installed(self) -> Mapping[str, Installed]:
        """By canonical name."""
        found = (await self._asked(Tags, "GET", "/api/tags")).models or ()
        return {canonical(each.name): each for each in found}

    async def running(self) -> Mapping[str, Running]:
        """By canonical name. While a model loads, a newer Ollama answers only when it has."""
        found = (await self._asked(Ps, "GET", "/api/ps")).models or ()
        return {canonical(each.name): each for each in found}

    async def weights(self, name: str) -> str:
        """Path of its weights: models with the same one share a place in memory."""
        return (await self._asked(Shown, "POST", "/api/show", {"model": name})).weights

    def pull(self, name: str) -> AsyncGenerator[Line, None]:
        """Until it is there. One that was broken off goes on where it stopped."""
        return self._streamed("/api/pull", {"model": name, "stream": True})

    def create(self, body: Mapping[str, object]) -> AsyncGenerator[Line, None]:
        return self._streamed("/api/create", {**body, "stream": True})

    async def load(self, name: str, keep_alive_seconds: int | None, *, embeddings: bool) -> None:
        """Returns when it is in memory. No option is said: one that differs from what requests
        say would make the first request load it anew."""
        keep = FOREVER if keep_alive_seconds is None else keep_alive_seconds
        said: dict[str, object] = {"model": name, "keep_alive": keep}
        if not embeddings:
            try:
                await self._done("POST", "/api/generate", {**said, "stream": False})
            except Refused as refusal:
                if NOT_GENERATING not in str(refusal):
                    raise
            else:
                return
        await self._done("POST", "/api/embed", {**said, "input": []})

    async def unload(self, name: str) -> None:
        await self._done("POST", "/api/generate", {"model": name, "keep_alive": 0, "stream": False})

    async def copy(self, name: str, to: str) -> None:
        """Its manifest alone; the layers are the same files."""
        await self._done("POST", "/api/copy", {"source": name, "destination": to})

    async def delete(self, name: str) -> None:
        """Layers that other models are made of stay."""
        await self._done("DELETE", "/api/delete", {"model": name})

    async def has_blob(self, digest: str) -> bool:
        with _translated():
            async with self._session.head(f"{self._url}/api/blobs/{digest}") as answer:
                return answer.status < FAILING

    async def send_blob(self, digest: str, path: Path) -> None:
        with _translated(), path.open("rb") as file:
            async with self._session.post(f"{self._url}/api/blobs/{digest}", data=file) as answer:
                await _refuse(answer)

    async def _asked(
        self, kind: type[T], method: str, path: str, body: Mapping[str, object] | None = None
    ) -> T:
        async with self._answered(method, path, body) as answer:
            data = await answer.read()
        try:
            return kind.model_validate_json(data)
        except ValidationError as error:
            msg = f"{path} answers with something else than Ollama's"
            raise Refused(msg) from error

    async def _done(self, method: str, path: str, body: Mapping[str, object]) -> None:
        async with self._answered(method, path, body) as answer:
            await answer.read()

    async def _streamed(self, path: str, body: Mapping[str, object]) -> AsyncGenerator[Line, None]:
        """Its lines up to the last, `success`. An error comes as a line too, after status 200."""
        async with self._answered("POST", path, body) as answer:
            async for data in answer.content:
                line = _line(data)
                if line.error is not None:
                    raise Refused(line.error)
                yield line
                if line.status == SUCCESS:
                    return
        msg = f"{path} ended before it was done"
        raise Away(msg)

    @asynccontextmanager
    async def _answered(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        with _translated():
            async with self._session.request(method, self._url + path, json=body) as answer:
                await _refuse(answer)
                yield answer


def _line(data: bytes) -> Line:
    try:
        return Line.model_validate_json(data)
    except ValidationError as error:
        msg = "a line of its stream is no JSON of Ollama's"
        raise Refused(msg) from error


async def _refuse(answer: aiohttp.ClientResponse) -> None:
    if answer.status < FAILING:
        return
    data = await answer.content.read(MAX_ERROR_BYTES)
    try:
        words = Failure.model_validate_json(data).error
    except ValidationError:
        words = data.decode(errors="replace").strip() or f"status {answer.status}"
    raise Refused(words)


@contextmanager
def _translated() -> Iterator[None]:
    """aiohttp's exceptions become ours; `ValueError` is a line longer than it reads."""
    try:
        yield
    except (aiohttp.ClientError, ConnectionError) as error:
        msg = f"Ollama does not answer: {error or type(error).__name__}"
        raise Away(msg) from error


def new_session() -> aiohttp.ClientSession:
    """Without time-outs of its own: they are the caller's."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5))
