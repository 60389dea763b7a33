"""What a fake Ollama says while it pulls and makes models: lines, one after the other."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from tests.fakes.ollama.script import Script, full_name, size_of
from tests.fakes.ollama.store import Manifest, Store

Line = Mapping[str, Any]
TICKS = 20
MISSING = "pull model manifest: file does not exist"
LEAKY = (
    'pull model manifest: Get "https://puller:hunter2@registry.example/v2/library/leaky/manifests/'
    'latest?X-Amz-Credential=AKIAEXAMPLE&X-Amz-Signature=5ee1f00d": net/http: TLS handshake timeout'
)
FULL = "write /root/.ollama/models/blobs/sha256-00-partial-0: no space left on device"
NOT_GGUF = "supplied file was not in GGUF format"
MAGIC = b"GGUF"
CONFIG_BYTES = 487


class Failed(Exception):
    """The text is what the server says."""


class Cut(Exception):
    """The connection is to be lost."""


class Registry:
    """Where models come from. What goes wrong the first time is right the second."""

    def __init__(self, script: Script, store: Store) -> None:
        self._script = script
        self._store = store
        self._tried: set[str] = set()
        self.is_full = True
        self.most_at_once = 0
        self._pulling = 0

    async def pull(self, asked: str) -> AsyncIterator[Line]:
        self._pulling += 1
        self.most_at_once = max(self.most_at_once, self._pulling)
        try:
            async for line in self._pulled(full_name(asked)):
                yield line
        finally:
            self._pulling -= 1

    async def _pulled(self, name: str) -> AsyncIterator[Line]:
        yield {"status": "pulling manifest"}
        if name.startswith("missing"):
            raise Failed(MISSING)
        if name.startswith("leaky"):
            raise Failed(LEAKY)
        weights, config = _digest(f"{name} weights"), _digest(f"{name} config")
        async for line in self._layer(name, weights, size_of(name)):
            yield line
        yield _pulling(config, CONFIG_BYTES, CONFIG_BYTES)
        for status in ("verifying sha256 digest", "writing manifest"):
            yield {"status": status}
        self._store.write(Manifest(name, weights, size_of(name)))
        self._store.partial(weights).unlink(missing_ok=True)
        yield {"status": "success"}

    async def create(self, body: Mapping[str, Any]) -> AsyncIterator[Line]:
        base, name = body.get("from"), full_name(str(body["model"]))
        if base is not None:
            found = self._store.find(base)
            if found is None:
                async for line in self.pull(base):
                    if line["status"] != "success":
                        yield line
                found = self._store.find(base)
            assert found is not None
            weights, size, before = found.weights, found.size, found
        else:
            weights = self._blob(body.get("files") or {})
            size = self._store.blob(weights).stat().st_size
            before = Manifest(name, weights, size)
        adapters = body.get("adapters") or {}
        made = Manifest(
            name=name,
            weights=weights,
            size=size,
            adapters=(self._blob(adapters),) if adapters else before.adapters,
            parameters={**before.parameters, **(body.get("parameters") or {})},
            system=body.get("system") or before.system,
            template=body.get("template") or before.template,
        )
        yield {"status": f"using existing layer {weights}"}
        yield {"status": "writing manifest"}
        self._store.write(made)
        yield {"status": "success"}

    def _blob(self, files: Mapping[str, str]) -> str:
        if not files:
            raise Failed("neither 'from' or 'files' was specified")
        digest = next(iter(files.values()))
        if not self._store.has_blob(digest):
            raise Failed(f"open {self._store.blob(digest)}: no such file or directory")
        if not self._store.blob(digest).read_bytes().startswith(MAGIC):
            raise Failed(NOT_GGUF)
        return digest

    async def _layer(self, name: str, digest: str, size: int) -> AsyncIterator[Line]:
        """From where the last pull of it stopped."""
        partial = self._store.partial(digest)
        done = int(partial.read_text()) if partial.exists() else 0
        pause = self._script.pull_seconds * (10 if name.startswith("slow") else 1) / TICKS
        while not self._store.has_blob(digest) and done < size:
            yield _pulling(digest, size, done)
            await asyncio.sleep(pause)
            done = min(size, done + -(-size // TICKS))
            partial.write_text(str(done))
            if done * 2 >= size:
                await self._go_wrong(name)
        yield _pulling(digest, size, size)

    async def _go_wrong(self, name: str) -> None:
        if name.startswith("full") and self.is_full:
            raise Failed(FULL)
        if name in self._tried:
            return
        self._tried.add(name)
        if name.startswith("cut"):
            raise Cut
        if name.startswith("stuck"):
            await asyncio.Event().wait()


def _pulling(digest: str, total: int, completed: int) -> Line:
    line = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": total}
    return line | ({"completed": completed} if completed else {})


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
