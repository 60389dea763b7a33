"""What may be shortened in prompts on their way to a provider."""

from pydantic import Field

from penstock_config.base import ConfigModel


class Compression(ConfigModel):
    """Each part is off by default. Code, quotes and JSON stay as they are."""

    whitespace: bool = False
    """Runs of it."""
    duplicates: bool = False
    """Paragraphs and tool outputs that are there twice."""
    boilerplate: bool = False
    """Mark-up, navigation, licence headers."""
    tool_outputs: bool = False
    """Down to what was asked for."""
    max_history_tokens: int | None = Field(None, ge=1)
    """Older turns beyond it are left out; `None` is no bound."""
    include_last_turn: bool = False
    """The last turn of the user may be shortened too."""
