"""What applications ask, at random by a seed: sizes, pictures, tools, several answers."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from penstock_sidecar.metering.estimate import MAX_IMAGE_TOKENS, TOOLS_TOKENS
from tests.acceptance.metered.work import PICO_PER_MICRO, Tariff
from tests.acceptance.registry import CHAT, Case

MANY = frozenset({"openai", "azure-openai", "gemini"})
"""Others give one answer."""
PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 40


@dataclass(frozen=True, slots=True)
class Offer:
    """One request. `leaves_after`: the caller goes when so many pieces have come; 0 is once the
    provider is at work; `None` is never."""

    case: Case
    tag: str
    body: bytes
    most: int
    choices: int = 1
    images: int = 0
    tools: bool = False
    leaves_after: int | None = None

    def bound_micro_usd(self, tariff: Tariff) -> int:
        """The most that any provider may charge for it: each byte a token, each answer as long as
        it may be, each picture as large as any."""
        return self._micro_usd(tariff, self.choices * self.most)

    def estimate_micro_usd(self, tariff: Tariff, shown_bytes: int) -> int:
        """What stands for a bill that is not known: the input's bound, and a tenth more than was
        seen."""
        seen = self._micro_usd(tariff, -(-shown_bytes * 11 // 10))
        return min(seen, self.bound_micro_usd(tariff))

    def _micro_usd(self, tariff: Tariff, output_tokens: int) -> int:
        text_bytes = len(self.body) - self.images * len(PICTURE)
        pictures = self.images * MAX_IMAGE_TOKENS
        hidden = self.case.endpoint.hidden_tokens + (TOOLS_TOKENS if self.tools else 0)
        input_tokens = text_bytes + pictures + hidden
        pico_usd = (
            input_tokens * tariff.input_token
            + output_tokens * tariff.output_token
            + self.images * tariff.image
            + tariff.request
        )
        return -(-pico_usd // PICO_PER_MICRO)


def offer(case: Case, model: str, tag: str, text: str = "", **fields: Any) -> Offer:
    """A request as small as it can be written. `max_tokens` must be among the fields; `images` and
    `leaves_after` are none of the document's."""
    images, leaves_after = fields.pop("images", 0), fields.pop("leaves_after", None)
    document = json.loads(case.endpoint.body(model, f"#{tag}#{text}", **fields))
    if images:
        picture = {"type": "image_url", "image_url": {"url": PICTURE}}
        message = document["messages"][0]
        words = {"type": "text", "text": message["content"]}
        message["content"] = [words, *[picture] * images]
    return Offer(
        case=case,
        tag=tag,
        body=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(),
        most=fields["max_tokens"],
        choices=fields.get("n", 1),
        images=images,
        tools="tools" in fields,
        leaves_after=leaves_after,
    )


def random_offer(case: Case, model: str, tag: str, chance: Random, **fields: Any) -> Offer:
    """Short or long; in chats with tools, pictures or several answers now and then."""
    text = "wörter " * chance.choice((0, 1, 10, 100, 400))
    fields = {"max_tokens": chance.choice((1, 20, 300, 700)), **fields}
    if case.endpoint.path != CHAT:
        return offer(case, model, tag, text, **fields)
    if chance.random() < 0.2 and case.provider.type in MANY:
        fields["n"] = 3
    if chance.random() < 0.2:
        fields["tools"] = [tool(chance.randrange(1, 40))]
    if chance.random() < 0.1:
        fields["images"] = chance.randrange(1, 3)
    return offer(case, model, tag, text, **fields)


def tool(parameters: int) -> dict[str, object]:
    """A function with so many parameters: its schema is read by the model, so it is input."""
    properties = {f"p{number}": {"type": "string"} for number in range(parameters)}
    schema = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "act", "parameters": schema}}
