"""Files on their way into Ollama's store: hashed, and uploaded if it has them not."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from penstock_operator.loader.board import Amount
from penstock_operator.loader.errors import Unusable
from penstock_operator.loader.ollama import Ollama

CHUNK_BYTES: Final = 4 * 1024 * 1024


async def upload(ollama: Ollama, path: Path, told: Callable[[Amount], None]) -> str:
    """Its digest, `sha256:...`."""
    digest = await digest_of(path, told)
    if not await ollama.has_blob(digest):
        try:
            await ollama.send_blob(digest, path)
        except OSError as error:
            raise _unreadable(path, error) from error
    return digest


async def digest_of(path: Path, told: Callable[[Amount], None]) -> str:
    """In a thread, which ends soon after the caller has."""
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(_digest, path, told, given_up)
    except OSError as error:
        raise _unreadable(path, error) from error
    finally:
        given_up.set()


def _digest(path: Path, told: Callable[[Amount], None], given_up: threading.Event) -> str:
    digest, read = hashlib.sha256(), 0
    with path.open("rb") as file:
        total = path.stat().st_size
        while not given_up.is_set() and (chunk := file.read(CHUNK_BYTES)):
            digest.update(chunk)
            read += len(chunk)
            told(Amount(read, total))
    return f"sha256:{digest.hexdigest()}"


def _unreadable(path: Path, error: OSError) -> Unusable:
    return Unusable(f"{path}: {error.strerror or error}")
