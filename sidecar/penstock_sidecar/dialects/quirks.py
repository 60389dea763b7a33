"""How providers that say they speak OpenAI's dialect differ from it: data, by their host's name."""

from dataclasses import dataclass
from typing import Final

from yarl import URL


@dataclass(frozen=True, slots=True)
class Quirks:
    """The defaults are what most understand."""

    limit_field: str = "max_tokens"
    """What a bound on output is called."""
    asks_for_usage: bool = True
    """It knows `stream_options`, and sends no usage in a stream without."""
    responses: bool = False
    """It serves `/responses`."""
    system_role: str = "system"
    """What instructions are called; `developer` at OpenAI's newer models."""
    drops: frozenset[str] = frozenset()
    """Fields of OpenAI's that it answers with an error."""


PLAIN: Final = Quirks()
OPENAI: Final = Quirks(limit_field="max_completion_tokens", responses=True)
_BY_HOST: Final = {
    "openai.com": OPENAI,
    "openai.azure.com": OPENAI,
}


def quirks_of(base_url: str) -> Quirks:
    """Of the provider at this address."""
    host = f".{URL(base_url).host}"
    return next((q for name, q in _BY_HOST.items() if host.endswith(f".{name}")), PLAIN)
