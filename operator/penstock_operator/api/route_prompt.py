"""What a `RoutePolicy` does to prompts on their way: compression, memory, images."""

from typing import ClassVar

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.rules import Rule, at_least_one


class Compression(ApiModel):
    """What may be shortened. Code, quotes, JSON and the last turn stay as they are."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        at_least_one("whitespace", "duplicates", "boilerplate", "toolOutputs", "maxHistoryTokens"),
    )

    whitespace: bool | None = Field(None, description="Runs of white space. Default: false.")
    duplicates: bool | None = Field(
        None, description="Paragraphs and tool outputs that are there twice. Default: false."
    )
    boilerplate: bool | None = Field(
        None, description="Mark-up, navigation, licence headers. Default: false."
    )
    tool_outputs: bool | None = Field(
        None,
        description="Names that JSON repeats, mark-up, lines of logs that are alike."
        " Default: false.",
    )
    max_history_tokens: int | None = Field(
        None,
        ge=256,
        le=100_000_000,
        description="Whole older turns beyond it are left out. Default: no bound.",
    )
    include_last_turn: bool = Field(
        default=False, description="Whether the last turn may be shortened too. Default: false."
    )


class Memory(ApiModel):
    """Turns that are kept for requests with `x-penstock-session`."""

    messages: int = Field(10, ge=1, le=200, description="Most messages kept. Default: 10.")
    idle_seconds: int = Field(
        1800, ge=60, le=2_592_000, description="Forgotten after so long unused. Default: 1800."
    )
    summarise: bool = Field(
        default=False,
        description="Whether older messages are summed up by a model. Default: false.",
    )


class Images(ApiModel):
    """What becomes of images in requests."""

    max_side_pixels: int = Field(
        ge=64, le=16_384, description="Larger ones are scaled down to this longest side."
    )
