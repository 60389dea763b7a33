"""Requests to cache, answers to keep, and a provider that streams them as OpenAI does."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import Policy
from penstock_config.provider import Model, Provider
from penstock_sidecar import model as words
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.build import Outside, answer_cache
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import CacheControl, Caller, Candidate, Chunk, Request, Usage
from penstock_sidecar.store import Argument, Script, Store, StoreUnavailable

CALLER = Caller("shop", "web", "web-1", "ann")
TARGET = "tier:shop/fast"
USAGE = Usage(input_tokens=9, output_tokens=4)
USAGE_DOCUMENT = {
    "prompt_tokens": 9,
    "completion_tokens": 4,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
DONE = Chunk(b"data: [DONE]\n\n", end=True)
EXACT = Cache(exact=ExactCache(ttl_seconds=100))


class ManualClock:
    """Goes when it is told to."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


class AbsentStore:
    """Redis is away."""

    async def command(self, *_arguments: Argument) -> object:
        raise StoreUnavailable("away")

    async def script(
        self, _script: Script, _keys: tuple[str, ...], _arguments: tuple[Argument, ...]
    ) -> object:
        raise StoreUnavailable("away")


class RecordingStore(AbsentStore):
    """Remembers what was asked of the real one behind it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.commands: list[tuple[Argument, ...]] = []
        """Of scripts the name alone."""

    async def command(self, *arguments: Argument) -> object:
        self.commands.append(arguments)
        return await self._store.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        self.commands.append((script.name,))
        return await self._store.script(script, keys, arguments)


def cache(
    store: Store | None,
    settings: Cache = EXACT,
    *,
    cluster: str = "c",
    namespace: str = "shop",
    policy: str = "shop/main",
    secret: bytes = b"secret",
    clock: ManualClock | None = None,
    memory: AnswerMemory | None = None,
) -> AnswerCache:
    """Without `memory` it forgets at once, and asks the store each time."""
    ruling = Policy(id=policy, tiers=("shop/fast",), cache=settings)
    clock = clock or ManualClock()
    memory = memory or AnswerMemory(clock, believed_seconds=0)
    return answer_cache(ruling, (cluster, namespace), secret, Outside(store, memory, clock))


def request(
    document: Mapping[str, object] | None = None,
    *,
    stream: bool = False,
    choices: int = 1,
    control: CacheControl | None = None,
) -> Request:
    whole = {"model": "fast", "messages": [{"role": "user", "content": "hi"}], **(document or {})}
    return Request(
        call_id="c1",
        model="fast",
        stream=stream,
        usage_wanted=False,
        body=b"",
        document=whole,
        headers={},
        choices=choices,
        cache_control=control or CacheControl(),
    )


def candidate(tier: str = "fast", model: str = "small") -> Candidate:
    served = Model(name=model, upstream_name=model, capabilities=("chat",))
    provider = Provider(
        id="shop/groq",
        type="openai",
        base_url="https://provider.example/v1",
        needs_key=False,
        models=(served,),
    )
    return words.Candidate(provider, served, tier, f"shop/{tier}")


def completion(*messages: Mapping[str, object], finish: str = "stop") -> dict[str, object]:
    """A plain answer; each message is a choice."""
    return {
        "id": "chatcmpl-1",
        "created": 1_700_000_000,
        "model": "small-2026",
        "object": "chat.completion",
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": None, **message},
                "logprobs": None,
                "finish_reason": "tool_calls" if message.get("tool_calls") else finish,
            }
            for index, message in enumerate(messages)
        ],
        "usage": USAGE_DOCUMENT,
    }


def plain(document: Mapping[str, object]) -> list[Chunk]:
    return [Chunk(orjson.dumps(document), content=True, usage=USAGE, end=True)]


def event(document: object) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def chunk(index: int = 0, *, finish: str | None = None, **delta: object) -> dict[str, object]:
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "created": 1_700_000_000,
        "model": "small-2026",
        "object": "chat.completion.chunk",
        "choices": [choice],
    }


def streamed(documents: Iterable[Mapping[str, object]], usage: Usage | None = USAGE) -> list[Chunk]:
    """What reaches a caller that did not ask for usage: the usage chunk has no bytes."""
    return [*(Chunk(event(d)) for d in documents), Chunk(b"", usage=usage), DONE]


def said(*texts: str, finish: str | None = "stop") -> list[Chunk]:
    """A stream of one choice that says `texts`."""
    deltas = [chunk(content=text) for text in texts]
    return streamed([chunk(role="assistant", content=""), *deltas, chunk(finish=finish)])


def question(where: AnswerCache, asked: Request, target: str = TARGET) -> Question:
    found = where.question(asked, CALLER, target)
    assert found
    return found


async def found(where: AnswerCache, asked: Request | Question | None = None) -> Hit | None:
    """For the question, or the request, or the one that all ask."""
    asked = asked or request()
    return await where.lookup(question(where, asked) if isinstance(asked, Request) else asked)


def body(hit: Hit | None) -> bytes:
    assert hit
    return b"".join(hit.pieces(request()))


async def keep(
    where: AnswerCache,
    asked: Request,
    chunks: Sequence[Chunk],
    *,
    by: Candidate | None = None,
    target: str = TARGET,
    cost_micro_usd: int = 7,
) -> Question:
    """Does what the pipeline does after a miss."""
    asking = question(where, asked, target)
    collector = where.collector(asking, by or candidate())
    for one in chunks:
        collector.add(one)
    await where.store(collector, cost_micro_usd)
    return asking
