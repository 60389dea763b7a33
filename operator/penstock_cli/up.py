"""`penstock up`: compile, run, follow the files, end cleanly."""

import asyncio
import socket
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import aiohttp
from rich.text import Text

from penstock_cli.client import Client
from penstock_cli.config_files import ConfigFiles
from penstock_cli.current import Current
from penstock_cli.documents import STDIN
from penstock_cli.embedded_redis import embedded_redis
from penstock_cli.embedder import embedder_for
from penstock_cli.failure import PortTaken, SidecarFailed, WrongUsage
from penstock_cli.interruption import until_signalled
from penstock_cli.output import stderr, stdout
from penstock_cli.sidecar_process import LOOPBACK, RunningSidecar, SidecarOptions, sidecar
from penstock_cli.standin import StandIn, StandInPod
from penstock_cli.watch import Watch
from penstock_operator.compile.snapshot import RedisSettings

AUTO: Final = "auto"
CURL: Final = """\
curl {url}/chat/completions -H 'content-type: application/json' \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello"}}]}}'"""


def up(paths: tuple[str, ...], standin: StandIn, port: int, redis_url: str) -> int:
    """Run until a signal; 0 then. Raises a `Failure` where it cannot begin or go on."""
    if STDIN in paths:
        msg = "-f -: standard input cannot be watched; name files or folders"
        raise WrongUsage(msg)
    for wanted in _ports(port):
        _ensure_free(wanted)
    asyncio.run(until_signalled(_run(paths, standin, port, redis_url)))
    stdout().print("Ended.")
    return 0


async def _run(paths: tuple[str, ...], standin: StandIn, port: int, redis_url: str) -> None:
    console, log = stdout(), stderr()

    def hear(who: str, line: str) -> None:
        log.print(Text.assemble((f"{who} ", "dim"), line), soft_wrap=True)

    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        async with (
            redis_at(redis_url, Path(folder)) as redis,
            embedder_for(paths, redis, partial(hear, "embedder")) as embedder,
        ):
            files = ConfigFiles(Path(folder))
            current = Current(paths, standin, redis, embedder, files, console)
            watch = Watch(paths)
            pod = current.begin()
            options = SidecarOptions(pod.namespace, pod.app, "local", *_ports(port))
            async with sidecar(options, files, partial(hear, "sidecar")) as running:
                console.print(_banner(pod, running, await _models(running)), soft_wrap=True)
                await _follow(watch, current, running.process)


@asynccontextmanager
async def redis_at(url: str, folder: Path) -> AsyncIterator[RedisSettings]:
    """The one at `url`, or one of our own."""
    if url:
        yield _settings(url)
        return
    async with embedded_redis(folder) as settings:
        yield settings


async def _follow(watch: Watch, current: Current, process: Process) -> None:
    """Until the sidecar ends by itself, which is a failure."""
    following = asyncio.create_task(_renew_on_save(watch, current))
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({following, ended}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()
        msg = f"the sidecar ended by itself with code {process.returncode}"
        raise SidecarFailed(msg)
    finally:
        following.cancel()
        ended.cancel()
        await asyncio.gather(following, ended, return_exceptions=True)


async def _renew_on_save(watch: Watch, current: Current) -> None:
    async for _ in watch.saves():
        current.renew()


def _ports(port: int) -> tuple[int, int, int]:
    """Three in a row, as in a pod; a port of 0 leaves all three to the system."""
    return (port, port + 1, port + 2) if port else (0, 0, 0)


def _ensure_free(port: int) -> None:
    """So that a second `penstock up` ends with a remedy, before it has started anything."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            msg = (
                f"cannot listen on {LOOPBACK} port {port} ({error.strerror}): choose another "
                "with --port; it and the two above it must be free"
            )
            raise PortTaken(msg) from error


async def _models(running: RunningSidecar) -> tuple[str, ...]:
    async with aiohttp.ClientSession() as session:
        return await Client(session).models(running.url)


def _settings(url: str) -> RedisSettings:
    """User and password go beside the address, never in it."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        msg = "--redis-url: write redis://, rediss:// or unix://"
        raise WrongUsage(msg)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return RedisSettings(url=bare, username=user or None, password=password or None)


def _banner(pod: StandInPod, running: RunningSidecar, names: tuple[str, ...]) -> Text:
    labels = ",".join(f"{k}={v}" for k, v in pod.labels.items()) or "none"
    lines = [
        ("Applications  ", f"{running.url} for OpenAI's clients"),
        ("              ", f"{running.root} for Anthropic's and Ollama's"),
        ("Health        ", f"http://127.0.0.1:{running.probe_port}/healthz, /readyz, /metrics"),
        ("Debugging     ", f"http://127.0.0.1:{running.admin_port}/debug/config, /debug/state"),
        ("Stands for    ", f"app {pod.app} of namespace {pod.namespace}, labels {labels}"),
        ("Policy        ", pod.policy.id if pod.policy else "none selects these labels"),
        ("Models        ", ", ".join(names) or "none"),
    ]
    text = Text()
    for name, value in lines:
        text.append(name, "bold").append(f"{value}\n")
    model = names[0] if names and AUTO not in names else AUTO
    text.append(CURL.format(url=running.url, model=model), "dim")
    return text.append("\nSave a file and the sidecar follows. Ctrl-C ends it.")
