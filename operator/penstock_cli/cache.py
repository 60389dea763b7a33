"""`penstock cache purge`: asks a sidecar to take answers of its cache away."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import aiohttp

from penstock_cli.failure import SidecarFailed, WrongUsage
from penstock_cli.output import counted, print_json, stdout

LONGEST_SECONDS: Final = 120
"""A scope may hold a hundred thousand answers, each to be looked at."""


def purge(url: str, which: Mapping[str, str], user: str, *, as_json: bool) -> int:
    """Of `which`, exactly one of `id`, `model`, `similar` and `all` has a value, or `similar` and
    `least`. Prints how many there were; returns the exit code."""
    chosen = {name: value for name, value in which.items() if value}
    if len(chosen.keys() - {"least"}) != 1 or ("least" in chosen and "similar" not in chosen):
        msg = "name what to remove: one of --id, --model, --similar and --all"
        raise WrongUsage(msg)
    removed = asyncio.run(_removed(url.rstrip("/"), chosen, user))
    if as_json:
        print_json({"removed": removed})
    else:
        stdout().print(f"{counted(removed, 'answer')} removed")
    return 0


async def _removed(url: str, chosen: Mapping[str, str], user: str) -> int:
    headers = {"x-penstock-user": user} if user else {}
    timeout = aiohttp.ClientTimeout(total=LONGEST_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.delete(f"{url}/v1/cache", params=chosen, headers=headers) as response,
        ):
            document = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        msg = f"no sidecar answers at {url}: {error or type(error).__name__}"
        raise SidecarFailed(msg) from None
    if response.status != HTTPStatus.OK:
        msg = f"{url} refused: {document['error']['message']}"
        raise SidecarFailed(msg)
    return int(document["removed"])
