"""A fake Ollama as a process, scripted by its environment: `python -m tests.fakes.ollama`."""

import asyncio
import os
import signal

from tests.fakes.ollama.script import Script
from tests.fakes.ollama.server import FakeOllama

DEFAULT_HOST = "127.0.0.1:11434"


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, _, port = os.environ.get("OLLAMA_HOST", DEFAULT_HOST).rpartition("://")[2].rpartition(":")
    async with FakeOllama(Script.from_environment(), host=host, port=int(port)):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
