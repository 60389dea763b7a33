"""What a dialect can do: for callers who speak it, for providers who do, and for both at once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from typing import Generic, Protocol, TypeVar

from penstock_sidecar.clock import Clock, SystemClock
from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.features import Lacks
from penstock_sidecar.dialects.framing import Framing
from penstock_sidecar.dialects.quirks import PLAIN, Quirks
from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.values import dataclass

P = TypeVar("P")
"""What a request is read into: a `Prompt`, or the `Texts` of embeddings."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What one attempt asks for beside the request's own words."""

    model: str
    """As the provider calls it."""
    stream: bool
    max_output_tokens: int | None
    """What the hold covers; `None` leaves the caller's own."""
    reasons: bool = False
    """The model can think."""
    nudge: bool = False
    """The former answer was empty: ask once more, for anything."""
    quirks: Quirks = PLAIN
    keep_alive_seconds: int | None = None
    """How long an Ollama that we run keeps the model in memory after this; below 0 for ever. `None`
    leaves that to the provider."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """What we say of an answer that we write."""

    call_id: str
    created: int
    """Seconds since 1970-01-01 UTC."""
    model: str
    """As the caller named it."""
    usage_wanted: bool = False
    asked: JsonObject = field(default_factory=dict)
    """The caller's document: some answers repeat what was asked for."""
    clock: Clock = field(default_factory=SystemClock)
    """For a dialect that dates each piece and says how long the answer took."""
    began: float = 0.0
    """When the provider was asked, on `clock.monotonic`."""

    def tool_call_id(self, index: int) -> str:
        """For a provider that gives its calls none."""
        return f"call_{self.call_id}_{index}"


class Garbled(Exception):
    """A provider's document is not what its dialect says, or says what the caller's has no words
    for; the text says what is missing."""


class Unspeakable(Exception):
    """A provider's dialect has no words for what the caller asks. `param` is the caller's field,
    `mend` what he can do about it."""

    code = "unsupported_parameter"

    def __init__(self, param: str, why: str = "", mend: str = "remove it") -> None:
        super().__init__(param)
        self.param = param
        self.why = why
        self.mend = mend

    def public(self, provider_type: str) -> str:
        """What the caller reads."""
        return (
            f"`{self.param}` cannot be expressed to a provider of type {provider_type}{self.why}:"
            f" {self.mend}, or ask a model of another provider"
        )


class Odd(Unspeakable):
    """Of a value that its own dialect does not know either; `must` is what it would have to be."""

    def __init__(self, param: str, must: str) -> None:
        super().__init__(param, f" unless it is {must}", "correct it")


class SaidError(Exception):
    """The provider reports an error within an answer; `value` is its `error`."""

    def __init__(self, value: object) -> None:
        super().__init__("the provider reports an error")
        self.value = value


class StreamReader(Protocol):
    """Reads one streamed answer. Raises `Garbled` and `SaidError`."""

    def read(self, document: JsonObject) -> Iterable[Event]: ...

    def over(self) -> Iterable[Event]:
        """The connection has ended, and no event said so. Raises `Garbled` for half an answer."""


class StreamWriter(Protocol):
    """Writes one streamed answer. Raises `Garbled`."""

    def write(self, event: Event) -> bytes:
        """What the caller gets now; often nothing."""


@dataclass(frozen=True, slots=True)
class CallerSide(Generic[P]):
    """For callers who speak the dialect. `read` raises `MalformedRequest` for a request that is
    wrong, and `Unspeakable` for what no other dialect could be told."""

    read: Callable[[JsonObject], P]
    stream_writer: Callable[[Identity], StreamWriter]
    write_plain: Callable[[Sequence[Event], Identity], JsonObject]
    content_type: str
    """Of a stream."""


@dataclass(frozen=True, slots=True)
class ProviderSide(Generic[P]):
    """For providers who speak it. `write` is asked only for what `lacks` does not refuse."""

    lacks: Lacks
    write: Callable[[P, Ask], JsonObject]
    framing: Framing
    stream_reader: Callable[[int], StreamReader]
    """Takes how many choices were asked for."""
    read_plain: Callable[[JsonObject], Iterator[Event]]


@dataclass(frozen=True, slots=True)
class Passage:
    """For callers and providers who both speak it. `body` is the caller's with what must differ:
    the same bytes where nothing does."""

    body: Callable[[Request, Ask], bytes]
    hides: Callable[[Request, JsonObject], bool] = lambda _request, _document: False
    """Whether a piece of the stream is there only because we asked for it."""
    end: bytes = b""
    """What a stream's end is, where the provider left it out."""
    usual_text: Callable[[bytes], bytes | None] = lambda _event: None
    """Text in ASCII that an event of the stream adds, where that is all and its bytes show it."""
    parse: Callable[[bytes], object] = parse
    """Reads as much of a whole answer as the provider's side wants to know. Raises `ValueError`."""
