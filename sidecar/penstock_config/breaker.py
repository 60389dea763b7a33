"""What is known of failing models, in Redis: told by sidecars and by the operator's probes.

One HASH in each provider's group (`Group.breakers`), a field for each breaker:

    <endpoint>/<model>    what requests met there
    *                     what probes met: the provider itself

Each holds a `Record` as JSON; all are read, added to and decided on by one script
(`lua/breakers.lua`). A provider of whom nothing bad was heard lately has no HASH at all. No words
of a request are in it. Fields never change their meaning; new ones may come.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

Endpoint = Literal["chat", "responses", "completions", "embeddings"]
"""What of a model fails: one may fail while the others work."""
ENDPOINTS: Final[tuple[Endpoint, ...]] = ("chat", "responses", "completions", "embeddings")
PROVIDER: Final = "*"
"""The field of the provider itself."""
SETTLE_MS: Final = 600
"""So old must failures be that several processes met, until they count together: each has told its
successes by then."""
SCRIPT: Final = files(__package__).joinpath("lua", "breakers.lua").read_text("utf-8")
SCRIPT_SHA: Final = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
MAX_REPLY_BYTES: Final = 1_000_000


def breaker_field(endpoint: Endpoint, model: str) -> str:
    """The field of one breaker."""
    return f"{endpoint}/{model}"


def fields_of(models: Iterable[str]) -> frozenset[str]:
    """All that a provider of these models can have: others are nobody's."""
    own = (breaker_field(endpoint, model) for model in models for endpoint in ENDPOINTS)
    return frozenset((PROVIDER, *own))


class _Shared(BaseModel):
    """Readers skip what they do not know, so that versions may differ."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Word(_Shared):
    """What one process has to say of one breaker. Ages and remainders, in milliseconds."""

    field: str
    threshold: int
    """So many failures in a row open it."""
    cooldown: int
    succeeded_age: int | None = None
    """Since the latest success; its call began `began_age` ago."""
    began_age: int | None = None
    failed_ages: tuple[int, ...] = ()
    """Of failures that were not told yet."""
    reason: str | None = None
    """Of the latest failure: an `error_type`."""
    hint: int | None = None
    """So long the provider wants not to be asked (`Retry-After`)."""
    open: int | None = None
    """The teller has opened it, for so long."""
    claim: int | None = None
    """The teller wants to try it, or is still trying, and has so long until it says so again."""
    release: bool = False
    """The teller tries no longer, and knows no more than before."""
    probed: bool = False
    """A probe, which costs nothing and asks no model, was answered."""


class Telling(_Shared):
    """The words of one process on one provider."""

    by: str
    """Who tells: unique to the process."""
    settle_ms: int = SETTLE_MS
    words: tuple[Word, ...] = ()


class Record(_Shared):
    """One breaker as everybody knows it. Milliseconds of Redis's clock, since 1970."""

    until_ms: float | None = None
    """Open; from then on one process at a time may try it. `None`: closed."""
    opened_ms: float | None = None
    failed_ms: tuple[float, ...] = ()
    """Failures since the last success."""
    succeeded_ms: float = 0
    hint_ms: float | None = None
    trial_by: str | None = None
    trial_ms: float = 0
    """Until then `trial_by` tries it."""
    frail: bool = False
    """A probe closed it: one more failure opens it."""
    reason: str | None = None


class Standing(_Shared):
    """All of a provider's breakers of which anything is known, and when."""

    now: float
    """By Redis's clock, in milliseconds."""
    records: Mapping[str, Record] = {}

    def only(self, fields: frozenset[str]) -> Self:
        """Without what nobody asked for."""
        found = {field: record for field, record in self.records.items() if field in fields}
        return self.model_copy(update={"records": found})


def encode_telling(telling: Telling) -> bytes:
    """The script's argument."""
    return telling.model_dump_json(exclude_none=True, exclude_defaults=False).encode()


def decode_standing(reply: object) -> Standing | None:
    """The script's reply; `None` for what is none."""
    if not isinstance(reply, bytes) or len(reply) > MAX_REPLY_BYTES:
        return None
    try:
        return Standing.model_validate_json(reply)
    except ValidationError:
        return None
