"""What a request will use, before anybody has counted: one guess for rates, one bound for money."""

from typing import Final

from penstock_config.provider import Model, Price, Provider
from penstock_sidecar.metering.cost import cost_pico_usd, dearest, highest, micro_usd
from penstock_sidecar.model import Api, Request, Usage
from penstock_sidecar.values import dataclass

BYTES_PER_TOKEN: Final = 3
"""Low for English (about 4), about right for code and most other languages."""
IMAGE_TOKENS: Final = 1_100
"""What a picture of 1024 x 1024 costs at OpenAI's high detail, and a little more."""
MAX_IMAGE_TOKENS: Final = 50_000
"""No listed model charges more for one picture (gpt-4o-mini comes next, 48,169)."""
TOOLS_TOKENS: Final = 1_000
"""At most, what a provider tells a model about tools as such (Anthropic: up to 675 tokens), beside
their schemas, which are in the body."""
HIDDEN_TOKENS: Final = 256
"""At most, what a model's template says by itself: gpt-oss about 70, Llama 3.1 about 30. A
conversation outweighs it by its own JSON."""
TERSE_APIS: Final[frozenset[Api]] = frozenset({"ollama-generate", "openai-responses"})
"""Where a text alone is a request, and there is little JSON about it."""
OUTPUT_TOKENS: Final = 4_096
"""For requests that name no maximum, of models that have none."""
MIN_OUTPUT_TOKENS: Final = 256
"""A budget that affords less than this much of an answer affords none."""


class PriceUnknown(Exception):
    """The model has no price, and its provider's `onUnknownPrice` says Deny."""


def price_of(provider: Provider, model: Model) -> Price:
    """The model's price, or what stands for it; raises `PriceUnknown`."""
    if model.price:
        return model.price
    match provider.on_unknown_price:
        case "Free":
            return Price(input_token=0, output_token=0)
        case "UseHighest" if price := highest(provider):
            return price
        case _:
            msg = (
                f"{provider.id}/{model.name} has no price: set it, or the provider's onUnknownPrice"
            )
            raise PriceUnknown(msg)


@dataclass(frozen=True, slots=True)
class Input:
    """A request's input: `tokens` is a guess, `most_tokens` a bound."""

    tokens: int
    most_tokens: int
    images: int
    text_bytes: int = 0
    """Without pictures that came along."""
    text_only: bool = False
    """No pictures, sound or files: tokens are the text's alone."""
    counted: bool = False
    """`tokens` is no guess: the caller sent tokens."""


def estimate_input(request: Request) -> Input:
    """A byte is never more than one token for byte-level encodings; pictures count by number."""
    text_bytes = len(request.body) - request.inline_bytes
    hidden = HIDDEN_TOKENS if request.api in TERSE_APIS else 0
    hidden += TOOLS_TOKENS if request.tools else 0
    guess = -(-text_bytes // BYTES_PER_TOKEN) + request.images * IMAGE_TOKENS
    counted = request.counted_tokens
    return Input(
        tokens=guess if counted is None else counted,
        most_tokens=text_bytes + request.images * MAX_IMAGE_TOKENS + hidden,
        images=request.images,
        text_bytes=text_bytes,
        text_only=request.text_only and not request.images,
        counted=counted is not None,
    )


def output_cap(request: Request, model: Model) -> int | None:
    """The most one answer can have, as far as anybody said."""
    if request.embeds:
        return 0
    asked, most = request.max_output_tokens, model.max_output_tokens
    if asked is None or most is None:
        return most if asked is None else asked
    return min(asked, most)


@dataclass(frozen=True, slots=True)
class Quote:
    """The worst case of one attempt, in money, by the length of its answers."""

    price: Price
    input: Input
    choices: int
    output_tokens: int
    """Of one answer, at most."""

    @classmethod
    def of(cls, price: Price, given: Input, choices: int, output_tokens: int) -> "Quote":
        return cls(dearest(price, given.most_tokens), given, choices, output_tokens)

    @property
    def most_micro_usd(self) -> int:
        return self._micro_usd(self.output_tokens)

    @property
    def least_micro_usd(self) -> int:
        """With answers as short as they may be made."""
        return self._micro_usd(min(self.output_tokens, MIN_OUTPUT_TOKENS))

    def affordable_output_tokens(self, granted_micro_usd: int) -> int:
        """How long answers may be for this much money; never longer than quoted."""
        if granted_micro_usd >= self.most_micro_usd:
            return self.output_tokens
        rest = granted_micro_usd * 1_000_000 - self._pico_usd(0)
        return rest // (self.price.output_token * self.choices)

    def _micro_usd(self, output_tokens: int) -> int:
        return micro_usd(self._pico_usd(output_tokens))

    def _pico_usd(self, output_tokens: int) -> int:
        usage = Usage(self.input.most_tokens, output_tokens * self.choices)
        return cost_pico_usd(usage, self.price, self.input.images)


def seen_usage(input_tokens: int, output_tokens: int) -> Usage:
    """What stands for the usage of an answer that was cut off, or came without one: a tenth more
    than was seen, for what the provider had generated and not sent."""
    return Usage(input_tokens, -(-output_tokens * 11 // 10))
