"""What of an embedding request has no price that is known beforehand.

Its bill is its input, which the body's bytes bound; nothing is generated. What other fields may
cost nobody knows, so only those are let through that are known to cost nothing.
"""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.model import Request

OPENAI_FIELDS: Final = frozenset(
    # OpenAI's own.
    "model input dimensions encoding_format user metadata safety_identifier"  # noqa: SIM905  # words, not twenty lines
    # Of Cohere, Jina, Mistral, NVIDIA, vLLM and Voyage: what vectors are for, how they are made.
    " input_type task output_dimension output_dtype truncate truncation truncate_prompt_tokens"
    " normalize normalized keep_alive".split()
)
OLLAMA_FIELDS: Final = frozenset(
    {"model", "input", "prompt", "truncate", "dimensions", "options", "keep_alive"}
)


def of_openai(request: Request) -> Iterator[str]:
    return _others(request, OPENAI_FIELDS)


def of_ollama(request: Request) -> Iterator[str]:
    return _others(request, OLLAMA_FIELDS)


def _others(request: Request, known: frozenset[str]) -> Iterator[str]:
    return (name for name, v in request.document.items() if v is not None and name not in known)
