"""What a provider did for each request, and what it puts on the invoice. Knows no protocol."""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from penstock_config.provider import Price

PICO_PER_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Tariff:
    """Pico-USD a unit. A picture costs `image`, and is input of `image_tokens` besides."""

    input_token: int = 1_000_000
    output_token: int = 3_000_000
    image: int = 0
    request: int = 0
    image_tokens: int = 0

    @property
    def price(self) -> Price:
        """What the platform is told of it."""
        return Price(
            input_token=self.input_token,
            output_token=self.output_token,
            image=self.image,
            request=self.request,
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the meter reads it."""

    tag: str
    """Whose it is: the caller wrote it into the prompt."""
    model: str
    input_bytes: int
    """Of everything that the model reads, pictures left out."""
    images: int
    most: int
    """Output tokens of one answer, reasoning included."""
    choices: int
    stream: bool
    usage_wanted: bool


@dataclass(slots=True, eq=False)
class Work:
    """One request's line on the invoice. Unfinished, it shows what was generated until now."""

    asked: Asked
    tariff: Tariff
    attempt: int
    """How many times its tag has been here: 1 is the first."""
    worked: bool = False
    forgiven: bool = False
    """An error response is not billed, whatever was done for it."""
    given: bool = False
    """The provider gives its tokens away, and says so: usage of zero."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    shown_bytes: int = 0
    """Of text that was sent, thoughts included."""
    told: bool = False
    """The usage was sent, in a complete answer."""
    began: asyncio.Event = field(default_factory=asyncio.Event)
    """Nothing more happens by itself: it has worked, and has not shown all."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def input_tokens(self) -> int:
        return self.asked.input_bytes + self.asked.images * self.tariff.image_tokens

    @property
    def bill_pico_usd(self) -> int:
        if self.forgiven or not self.worked:
            return 0
        fees = self.tariff.request + self.asked.images * self.tariff.image
        if self.given:
            return fees
        tokens = self.input_tokens * self.tariff.input_token
        return fees + tokens + self.output_tokens * self.tariff.output_token

    @property
    def unknowable(self) -> bool:
        """It worked, and nothing came back: no client can know what that costs."""
        return self.worked and not (self.forgiven or self.told or self.shown_bytes)


class Meter:
    """All work of one provider. `goes_on`: it finishes, and bills, what nobody waits for."""

    def __init__(self, tariff: Tariff, *, goes_on: bool = False) -> None:
        self.tariff = tariff
        self.goes_on = goes_on
        self.works: list[Work] = []
        self._by_tag: defaultdict[str, list[Work]] = defaultdict(list)
        self._arrival = asyncio.Condition()

    async def begin(self, asked: Asked) -> Work:
        works = self._by_tag[asked.tag]
        work = Work(asked, self.tariff, len(works) + 1)
        works.append(work)
        self.works.append(work)
        async with self._arrival:
            self._arrival.notify_all()
        return work

    async def work(self, tag: str, attempt: int = 1) -> Work:
        """The tag's request of that number, waited for."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self._by_tag[tag]) >= attempt)
        return self._by_tag[tag][attempt - 1]

    def begun(self, tag: str) -> "asyncio.Task[None]":
        """Done when the tag's first request is being worked on."""

        async def wait() -> None:
            await (await self.work(tag)).began.wait()

        return asyncio.create_task(wait())

    async def ended(self) -> None:
        """Returns when nothing is under way."""
        for work in self.works:
            await work.ended.wait()

    def bill_micro_usd(self) -> int:
        """The invoice: exact sum, rounded once, up."""
        return -(-sum(work.bill_pico_usd for work in self.works) // PICO_PER_MICRO)

    def attempts(self) -> Counter[str]:
        """How many requests each tag made."""
        return Counter({tag: len(works) for tag, works in self._by_tag.items()})
