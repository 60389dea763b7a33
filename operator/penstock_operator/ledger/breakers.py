"""Providers' breakers, out of Redis and into it: what sidecars met, and what probes did."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from penstock_config.breaker import (
    SCRIPT,
    Record,
    Standing,
    Telling,
    Word,
    encode_telling,
)
from penstock_config.layout import Group
from penstock_operator.ledger.store import Script, Store

TELL: Final = Script("breakers", SCRIPT)
MAX_RECORD_BYTES: Final = 16_384


async def read_standings(
    store: Store, cluster: str, providers: Sequence[str]
) -> Mapping[str, Standing]:
    """By provider's id; of one that could not be read nothing."""
    now = await store.now() * 1000
    keys = [Group.of_provider(cluster, each).breakers for each in providers]
    replies = await store.ask([("HGETALL", key) for key in keys])
    found = {}
    for provider, reply in zip(providers, replies, strict=True):
        if reply is not None:
            found[provider] = Standing(now=now, records=_records(reply))
    return found


async def tell(store: Store, cluster: str, provider: str, by: str, words: Sequence[Word]) -> None:
    """Adds what probes found. Raises `LedgerAway`."""
    key = Group.of_provider(cluster, provider).breakers
    telling = Telling(by=by, words=tuple(words))
    await store.run(TELL, [key], encode_telling(telling))


def _records(reply: Mapping[bytes, bytes]) -> Mapping[str, Record]:
    """Those that can be read: whoever has a login to the group may write what he likes."""
    found = {}
    for field, value in reply.items():
        if len(value) > MAX_RECORD_BYTES:
            continue
        try:
            found[field.decode("utf-8", "replace")] = Record.model_validate_json(value)
        except ValidationError:
            continue
    return found
