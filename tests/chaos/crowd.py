"""One sidecar's limiter as a process of its own, asked in the name of many users.

Run by `-m tests.chaos.crowd`. Its argument is Redis's URL. For each line
`<distinct users> <requests>` it makes so many requests and says how many bytes of memory it has.
"""

import asyncio
import random
import sys
from pathlib import Path
from resource import getpagesize

from penstock_config.budget import Amounts
from penstock_config.credentials import RedisAccess
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.model import Caller, Chunk, Usage
from penstock_sidecar.redis_store import connect
from tests.sidecar.limits import world

AT_ONCE = 8
HOLD_SECONDS = 2.0
"""So long are ended holds remembered."""
WIDE = RateLimits(requests_per_minute=10**9)
DONE = Chunk(b"", content=True, usage=Usage(5, 5), end=True)


def config() -> SidecarConfig:
    """A limit and a budget for each user; as many users as a policy tells apart by default."""
    money = world.budget(limits=Amounts(), per_user=Amounts(total=10**12))
    return world.config(
        limits=(world.per_app(WIDE, name="per-user", per="User"),), budgets=(money,)
    )


async def ask(limiter: Limiter, user: str) -> None:
    """One request that is answered at once."""
    caller = Caller(namespace="shop", app="web", pod="web-1", user=user)
    ticket = limiter.ticket(caller, world.request())
    async with ticket, ticket.attempt(world.candidate()) as attempt:
        attempt.saw(DONE)


async def ask_all(limiter: Limiter, users: int, requests: int) -> None:
    chance = random.Random()

    async def some() -> None:
        for _ in range(requests // AT_ONCE):
            await ask(limiter, f"user-{chance.randrange(users)}")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(some())
    await limiter.settled()


def resident_bytes() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * getpagesize()


async def main(redis_url: str) -> None:
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=10)
    limiter = world.limiter(config(), store, hold_seconds=HOLD_SECONDS)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        users, requests = map(int, line.split())
        await ask_all(limiter, users, requests)
        sys.stdout.write(f"{resident_bytes()}\n")
        sys.stdout.flush()
    await limiter.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
