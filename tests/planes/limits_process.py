"""One sidecar's limiter as a process of its own: `python -m tests.planes.limits_process`.

Its first argument is a JSON object; `mode` in it is `flood` or `hold`.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, cast

from penstock_config.codec import decode_config
from penstock_config.credentials import RedisAccess
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import RateLimited
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.scripts import ACQUIRE
from penstock_sidecar.model import Caller, Candidate, Chunk, Pod, Request, Usage
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.store import Argument, Script
from tests.sidecar.limits.world import memory

ADMITTED_KEY = "test:admitted"
"""A list of Redis times, in microseconds, at which requests were admitted."""
REST_SECONDS = 0.002
COMMIT = "local function commit(holds, items)\n"
DONE = Chunk(b"", content=True, usage=Usage(5, 5), end=True)


Reply = Coroutine[Any, Any, object]


class RecordingStore:
    """A store whose acquire script writes down when it admits; nothing else is changed."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        assert COMMIT in ACQUIRE.text
        note = f"    call('RPUSH', '{ADMITTED_KEY}', now)\n"
        self._note = note

    def command(self, *arguments: Argument) -> Reply:
        return self._store.command(*arguments)

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Reply:
        return self._store.script(self._noting(script), keys, arguments)

    def _noting(self, script: Script) -> Script:
        if script.name != ACQUIRE.name:
            return script
        text = script.text.replace(COMMIT, COMMIT + self._note)
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return Script(script.name, text, sha)


def request() -> Request:
    return Request(
        call_id="call",
        model="fast",
        stream=False,
        usage_wanted=False,
        body=b"x" * 30,
        document={},
        headers={},
        max_output_tokens=10,
    )


def candidate(config: SidecarConfig) -> Candidate:
    provider = config.providers[0]
    return Candidate(provider, provider.models[0], "fast", config.tiers[0].id)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def line_from_parent() -> str:
    say("ready")
    return await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


async def offer(limiter: Limiter, config: SidecarConfig, pod: Pod) -> None:
    """One request that is answered at once."""
    caller = Caller(pod.namespace, pod.app, pod.name)
    ticket = limiter.ticket(caller, request())
    async with ticket, ticket.attempt(candidate(config)) as attempt:
        attempt.saw(DONE)


async def flood(limiter: Limiter, config: SidecarConfig, pod: Pod) -> None:
    """Says `ready`, reads for how many seconds, offers as much as it can; says how much it was."""
    until = SystemClock().monotonic() + float(await line_from_parent())
    offered = 0
    while SystemClock().monotonic() < until:
        offered += 1
        try:
            await offer(limiter, config, pod)
        except RateLimited:
            await asyncio.sleep(REST_SECONDS)
    say(str(offered))


async def hold(limiter: Limiter, config: SidecarConfig, pod: Pod, requests: int) -> None:
    """Requests that never end; says `ready` once they are all under way."""
    caller = Caller(pod.namespace, pod.app, pod.name)
    async with AsyncExitStack() as stack:
        for _ in range(requests):
            ticket = await stack.enter_async_context(limiter.ticket(caller, request()))
            attempt = await stack.enter_async_context(ticket.attempt(candidate(config)))
            attempt.sent()
        await line_from_parent()


async def main(order: dict[str, Any]) -> None:
    config = decode_config(cast("str", order["config"]).encode())
    pod = Pod(config.namespace, order["pod"], "web", {})
    store = await connect(RedisAccess(url=order["redis"]), deadline_seconds=5)
    limiter = Limiter(
        config,
        config.policies[0],
        pod,
        RecordingStore(store),
        b"k" * 32,
        memory(),
        hold_seconds=order.get("hold_seconds", 30.0),
    )
    if order["mode"] == "flood":
        await flood(limiter, config, pod)
    else:
        await hold(limiter, config, pod, order["requests"])
    await limiter.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
