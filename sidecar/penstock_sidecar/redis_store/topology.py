"""Who serves which slots, as the nodes of a Cluster tell it."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final

import hiredis

from penstock_sidecar.redis_store.address import Address, Login, dial
from penstock_sidecar.redis_store.connection import ConnectionLost
from penstock_sidecar.redis_store.refusal import code_of
from penstock_sidecar.redis_store.slots import View, view

AT_ONCE: Final = 3
"""Nodes that are asked together: one that slept must not have the only word."""
LOOK_SECONDS: Final = 1.0


async def look(addresses: Sequence[Address], login: Login) -> View:
    """The best view that three nodes have, or the next three; raises what the last met."""
    left = random.sample(list(dict.fromkeys(addresses)), len(set(addresses)))
    failure: Exception = ConnectionLost("no node is known", sent=False)
    while left:
        asked, left = left[:AT_ONCE], left[AT_ONCE:]
        answers = await asyncio.gather(*(_ask(a, login) for a in asked), return_exceptions=True)
        if views := [answer for answer in answers if isinstance(answer, View)]:
            return max(views, key=lambda v: v.larger)
        failure = next(answer for answer in answers if isinstance(answer, Exception))
    raise failure


async def _ask(address: Address, login: Login) -> View:
    async with asyncio.timeout(LOOK_SECONDS):
        connection = await dial(address, login)
        try:
            info = connection.send("CLUSTER", "INFO")
            slots = connection.send("CLUSTER", "SLOTS")
            return view(*await asyncio.gather(info, slots), (address.host, address.port))
        except hiredis.ReplyError as error:
            why = f"{address} is in no Cluster, or hides it: {code_of(error)}"
            raise ConnectionLost(why, sent=False) from error
        finally:
            connection.abort()
