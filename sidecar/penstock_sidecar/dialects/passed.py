"""A provider's side of an API that is only ever passed on: read for usage, content and end."""

from collections.abc import Callable, Iterator
from typing import NoReturn

from penstock_sidecar.dialects.dialect import Ask, ProviderSide, StreamReader
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.framing import Framing
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.model import JsonObject


def passed_side(
    framing: Framing,
    stream_reader: Callable[[int], StreamReader],
    read_plain: Callable[[JsonObject], Iterator[Event]],
) -> ProviderSide[Prompt]:
    """Nothing is written for it: who speaks another dialect is served by the provider's chat."""
    return ProviderSide(Lacks(frozenset(Feature)), _write, framing, stream_reader, read_plain)


def _write(_: Prompt, ask: Ask) -> NoReturn:
    msg = f"nothing is translated for {ask.model} here"
    raise NotImplementedError(msg)
