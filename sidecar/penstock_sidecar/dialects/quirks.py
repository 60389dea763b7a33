"""How providers that say they speak OpenAI's dialect differ from it: data, each with its source.

Known by the preset's name, else by the host's: what runs at an address of one's own says by its
preset what it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from yarl import URL


@dataclass(frozen=True, slots=True)
class Quirks:
    """The defaults are what most understand. Fields are those of chat completions."""

    limit_field: str = "max_tokens"
    """What a bound on output is called."""
    asks_for_usage: bool = True
    """It knows `stream_options`, and sends no usage in a stream without."""
    responses: bool = False
    """It serves `/responses`."""
    system_role: str = "system"
    """What instructions are called."""
    developer_role: bool = True
    """It takes instructions by the role `developer` too."""
    renames: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Fields that it has under another name, and refuses or ignores under OpenAI's."""
    drops: frozenset[str] = frozenset()
    """Fields that it answers with an error, and that only steer: they are left out."""
    message_drops: frozenset[str] = frozenset()
    """The same of messages and tool calls, which hold what another provider said before."""
    refuses: frozenset[str] = frozenset()
    """As `drops`, but without them the answer would not be what was asked for. It names them itself
    to those who speak its dialect."""


OF_OTHERS: Final = frozenset({"top_k", "min_p", "repetition_penalty"})
"""Sampling that OpenAI does not have, and those who copy it with care refuse."""
ECHOES: Final = frozenset({"reasoning_content", "extra_content"})
"""Thoughts of former answers, and Google's signatures of them."""
ONE_LIMIT: Final = MappingProxyType({"max_completion_tokens": "max_tokens"})
"""A bound under a name that is not known is an error, or no bound."""

PLAIN: Final = Quirks()
OPENAI: Final = Quirks(
    limit_field="max_completion_tokens",
    responses=True,
    drops=OF_OTHERS,
    message_drops=ECHOES,
)
"""`max_tokens` is an error with models that reason; unknown arguments are errors:
https://platform.openai.com/docs/api-reference/chat/create."""
GROQ: Final = Quirks(
    limit_field="max_completion_tokens",
    responses=True,
    drops=OF_OTHERS,
    message_drops=ECHOES,
    refuses=frozenset({"logprobs", "top_logprobs", "logit_bias", "n"}),
)
"""https://console.groq.com/docs/openai, "Currently Unsupported OpenAI Features"; for the thoughts
https://github.com/janhq/jan/issues/8136."""
MISTRAL: Final = Quirks(
    asks_for_usage=False,
    developer_role=False,
    renames=MappingProxyType({**ONE_LIMIT, "seed": "random_seed"}),
    drops=OF_OTHERS
    | {"stream_options", "user", "store", "service_tier", "prompt_cache_key", "safety_identifier"},
    message_drops=ECHOES,
    refuses=frozenset({"logprobs", "top_logprobs", "logit_bias"}),
)
"""https://docs.mistral.ai/api: a closed schema (422 `extra_forbidden`), with usage in the last
chunk of each stream. See also https://github.com/editor-code-assistant/eca/issues/231 and
https://github.com/charmbracelet/crush/issues/1590."""
DEEPSEEK: Final = Quirks(developer_role=False, renames=ONE_LIMIT)
"""https://api-docs.deepseek.com/api/create-chat-completion; the role is refused by name:
https://github.com/earendil-works/pi/issues/1048."""
TOGETHER: Final = Quirks(developer_role=False, renames=ONE_LIMIT)
"""https://docs.together.ai/reference/chat-completions."""
PERPLEXITY: Final = Quirks(
    asks_for_usage=False,
    developer_role=False,
    renames=ONE_LIMIT,
    refuses=frozenset({"n", "logprobs", "top_logprobs", "logit_bias"}),
)
"""https://docs.perplexity.ai/api-reference/chat-completions-post: each chunk holds the usage."""
CEREBRAS: Final = Quirks(
    limit_field="max_completion_tokens",
    drops=OF_OTHERS | {"frequency_penalty", "presence_penalty", "service_tier"},
    message_drops=ECHOES,
    refuses=frozenset({"logit_bias"}),
)
"""https://inference-docs.cerebras.ai/resources/openai: these are answered with 400; so are thoughts
under a name that is not its own: https://github.com/Kilo-Org/kilocode/issues/10375."""
XAI: Final = Quirks(limit_field="max_completion_tokens", responses=True)
"""https://docs.x.ai/docs/api-reference: `max_tokens` is deprecated."""
FIREWORKS: Final = replace(PLAIN, message_drops=frozenset({"extra_content"}))
"""https://docs.fireworks.ai/api-reference/post-chatcompletions: OpenAI's fields, and `top_k`,
`min_p`, `repetition_penalty`; https://github.com/NousResearch/hermes-agent/pull/18663."""
OPENROUTER: Final = PLAIN
"""https://openrouter.ai/docs/api-reference/parameters: what a model lacks is left out there."""
HUGGINGFACE: Final = PLAIN
"""https://huggingface.co/docs/inference-providers/tasks/chat-completion."""
VLLM: Final = replace(PLAIN, responses=True)
"""https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html: `/responses` since 0.10,
and every kind of sampling."""

BY_PRESET: Final[Mapping[str, Quirks]] = MappingProxyType(
    {
        "cerebras": CEREBRAS,
        "deepseek": DEEPSEEK,
        "fireworks": FIREWORKS,
        "groq": GROQ,
        "huggingface": HUGGINGFACE,
        "mistral": MISTRAL,
        "openai": OPENAI,
        "openrouter": OPENROUTER,
        "perplexity": PERPLEXITY,
        "together": TOGETHER,
        "vllm": VLLM,
        "xai": XAI,
    }
)
_BY_HOST: Final = {
    "openai.com": OPENAI,
    "openai.azure.com": OPENAI,
    "services.ai.azure.com": OPENAI,
    "cognitiveservices.azure.com": OPENAI,
    "cerebras.ai": CEREBRAS,
    "deepseek.com": DEEPSEEK,
    "fireworks.ai": FIREWORKS,
    "groq.com": GROQ,
    "huggingface.co": HUGGINGFACE,
    "mistral.ai": MISTRAL,
    "openrouter.ai": OPENROUTER,
    "perplexity.ai": PERPLEXITY,
    "together.ai": TOGETHER,
    "together.xyz": TOGETHER,
    "x.ai": XAI,
}


def quirks_of(base_url: str, preset: str | None = None, type_: str = "openai") -> Quirks:
    """Of the provider at this address; its preset knows better, and Azure is OpenAI anywhere."""
    if type_ == "azure-openai":
        return OPENAI
    if known := BY_PRESET.get(preset or ""):
        return known
    host = f".{URL(base_url).host}"
    return next((q for name, q in _BY_HOST.items() if host.endswith(f".{name}")), PLAIN)
