"""The words of a request's way: frozen values that the stages hand to each other.

Knows no protocol and no storage. `penstock_config` types appear where a value is configuration.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import field
from typing import Final, Literal, Protocol, get_args

from penstock_config.classification import Complexity, Task
from penstock_config.provider import Model, Provider
from penstock_sidecar.values import dataclass

JsonObject = Mapping[str, object]
"""A parsed JSON document, read only; it leaves its stage only to be written to a wire again."""

Api = Literal[
    "openai-chat",
    "openai-completions",
    "openai-responses",
    "openai-embeddings",
    "anthropic-messages",
    "anthropic-count-tokens",
    "ollama-chat",
    "ollama-generate",
    "ollama-embed",
    "ollama-embeddings",
]
"""What a caller may speak: a dialect, and what is asked in it."""
EMBEDDING_APIS: Final = frozenset({"openai-embeddings", "ollama-embed", "ollama-embeddings"})
INPUT_FIELDS: Final[Mapping[Api, str]] = {
    "openai-completions": "prompt",
    "openai-responses": "input",
    "openai-embeddings": "input",
    "ollama-generate": "prompt",
    "ollama-embed": "input",
    "ollama-embeddings": "prompt",
}
"""What an `Api` calls its input, where that is not `messages`."""
OLLAMA_APIS: Final = frozenset(api for api in get_args(Api) if api.startswith("ollama-"))
ANONYMOUS: Final = "anonymous"
CacheResult = Literal[
    "hit-exact", "hit-normalised", "hit-semantic", "miss", "bypass", "refresh", "off"
]
FlightResult = Literal["", "led", "followed", "took-over", "alone"]
"""Of a request that others like it may wait for: it led from the start; it waited, and got what was
kept; it led after another one; it went alone, since nothing would be kept or its time was over.
Empty: none of these."""
HedgeResult = Literal["", "first", "second", "none"]
"""Which of two attempts side by side has answered; empty where there was no second."""


@dataclass(frozen=True, slots=True)
class Pod:
    """The pod that this sidecar serves. `app` is the owning workload, or the pod's name."""

    namespace: str
    name: str
    app: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `user` is `anonymous` where the request names nobody."""

    namespace: str
    app: str
    pod: str
    user: str = ANONYMOUS


@dataclass(frozen=True, slots=True)
class CacheControl:
    """What the caller asks of the cache; it can only make the policy stricter."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age_seconds: int | None = None
    """An answer older than this is not wanted."""
    store_seconds: int | None = None
    """The answer is to be kept no longer than this."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A former response; so many `items` of a request's document are its."""

    id: str
    items: int


@dataclass(frozen=True, slots=True)
class Remembered:
    """Of a request's messages, so many `items` are a session's, from place `first` on."""

    first: int
    items: int


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A request as it came, parsed once. Never printed: it holds the prompt."""

    call_id: str
    model: str
    """As the caller sent it."""
    stream: bool
    usage_wanted: bool
    """The caller asked for a usage chunk (`stream_options.include_usage`)."""
    body: bytes
    document: JsonObject
    headers: Mapping[str, str]
    """Names in lower case."""
    images: int = 0
    audio: int = 0
    """Parts with sound, as `images` counts those with a picture."""
    tools: bool = False
    json: bool = False
    """A JSON answer was asked for, with a schema or without."""
    max_output_tokens: int | None = None
    choices: int = 1
    """How many answers were asked for (`n`): each may use `max_output_tokens`."""
    cache_control: CacheControl = CacheControl()
    api: Api = "openai-chat"
    inline_bytes: int = 0
    """Of `body`: pictures that came along. Only what providers read as one; text stays text."""
    text_only: bool = True
    """No pictures, sound or files: tokens are the text's alone."""
    resumed: Resumed | None = None
    """The former response that it goes on from."""
    remembered: Remembered | None = None
    """What a session put before the caller's own turn."""
    counted_tokens: int | None = None
    """Of the input, where the caller sent tokens and no text."""

    @property
    def input_field(self) -> str:
        """For errors about all of the input."""
        return INPUT_FIELDS.get(self.api, "messages")

    @property
    def counts(self) -> bool:
        """Only the number of its tokens is asked for."""
        return self.api == "anthropic-count-tokens"

    @property
    def embeds(self) -> bool:
        """Vectors are asked for, not words: nothing is generated."""
        return self.api in EMBEDDING_APIS

    def __repr__(self) -> str:
        return f"Request({self.call_id}, {len(self.body)} bytes)"


@dataclass(frozen=True, slots=True)
class Classification:
    """What a request is about, and how hard it is."""

    task: Task
    complexity: Complexity
    confidence: float
    """From 0 (a guess) to 1 (the caller said so)."""
    signals: tuple[str, ...] = ()
    """What decided, as names; never words of the prompt."""


UNCLASSIFIED: Final = Classification("chat", "medium", 0.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model of a provider that may serve a request. `tier` is the name, not the id."""

    provider: Provider
    model: Model
    tier: str
    tier_id: str
    weight: int = 1
    priority: int = 0
    label: str = field(init=False, compare=False)
    """`<provider's id>/<model's name>`: asked for so often that it is kept."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"{self.provider.id}/{self.model.name}")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them. Classes are parts: cached input and cache writes are
    within `input_tokens`, writes for an hour within cache writes, reasoning within `output_tokens`
    (OpenAI's way; others are converted)."""

    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_1h_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, repr=False)
class Chunk:
    """One piece of an answer in the caller's dialect; a plain answer is a single chunk.

    `data` is what the caller gets, possibly nothing. `content` is True when the piece carries
    text, a refusal or a tool call: after the first such piece another provider cannot take over.
    """

    data: bytes
    content: bool = False
    text_bytes: int = 0
    """UTF-8 bytes that the model generated in this piece: the measure when no usage comes."""
    usage: Usage | None = None
    finish: str | None = None
    """`stop`, `length`, `tool_calls`, `content_filter`, or the provider's own word."""
    end: bool = False
    """The answer is complete: nothing follows."""

    def __repr__(self) -> str:
        return f"Chunk({len(self.data)} bytes, content={self.content}, end={self.end})"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider sends back. `chunks` ends after one with `end`, or raises `UpstreamError`."""

    chunks: AsyncIterator[Chunk]
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Those of the provider's that the caller may see (`x-request-id`, rate limits), lower case."""


MemberResult = Literal[
    "chosen", "agreed", "dissented", "answered", "failed", "overtaken", "advised"
]
"""Of a model in an ensemble. Overtaken: there were answers enough before its own. Advised: asked
about the answers, as a judge is."""


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """`confidence` is from 0 to 1, and None where it did not answer."""

    provider: str
    model: str
    result: MemberResult
    confidence: float | None = None
    error_type: str = ""
    cost_micro_usd: int = 0


@dataclass(frozen=True, slots=True)
class EnsembleResult:
    """What became of an ensemble; `agreement` is from 0 to 1."""

    consensus: str
    tier: str
    asked: int
    answered: int
    agreement: float
    degraded: bool
    """Fewer answered than should, or others than the tier's own models."""
    members: tuple[EnsembleMember, ...]


@dataclass(frozen=True, slots=True)
class CompressionResult:
    """Tokens of a prompt as it came and as it went; both are guesses."""

    tokens_before: int
    tokens_after: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: all that telemetry learns. Holds no text of anybody's."""

    call_id: str
    policy: str
    tier: str
    provider: str
    model: str
    status: int
    error_type: str
    """Empty on success; else one of the closed vocabulary in `errors`."""
    cache: CacheResult
    stream: bool
    usage: Usage | None
    cost_micro_usd: int
    saved_micro_usd: int
    retries: int
    fallbacks: int
    duration_seconds: float
    overhead_seconds: float
    """Time spent here, upstream calls and the caller's reading left out."""
    first_content_seconds: float | None
    api: Api = "openai-chat"
    hedge: HedgeResult = ""
    task: Task = "chat"
    """What it was about."""
    complexity: Complexity | None = None
    """How hard it was; `None` where nobody wanted to know."""
    flight: FlightResult = ""
    """Its part among those that asked the same at the same time."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """How many candidates could not serve, or came late, by the reason's kind."""
    ensemble: EnsembleResult | None = None
    compression: CompressionResult | None = None
    """Where the prompt became shorter."""


class Recorder(Protocol):
    """Hears of every request, once."""

    def request_ended(self, outcome: Outcome) -> None: ...


class Reply(Protocol):
    """The way back to the caller; the HTTP edge implements it.

    `start` sends status 200 and headers; after it an error can only be said in-band (`broken`).
    Raises `ConnectionResetError` when the caller has gone.
    """

    @property
    def left(self) -> bool:
        """The caller has gone, and the request goes on without him."""

    def outlast(self, seconds: float | None) -> None:
        """How long to go on from when the caller leaves; `None` is: cancelled at once."""

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None: ...

    async def send(self, data: bytes) -> None: ...

    async def end(self) -> None: ...
