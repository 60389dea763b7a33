"""The request that `penstock explain` is asked about, in any API that a sidecar speaks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_cli.failure import WrongUsage
from penstock_sidecar.model import Api, Request
from penstock_sidecar.normalise.anthropic import parse_count, parse_messages
from penstock_sidecar.normalise.embeddings import (
    parse_ollama_embed,
    parse_ollama_embeddings,
    parse_openai_embeddings,
)
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response

Parse = Callable[[bytes, Mapping[str, str], str], Request]
Words = Callable[[str], Mapping[str, object]]
"""What a request holds beside its model."""
MAX_TOKENS: Final = 1024
"""Anthropic's clients must name one."""


def _said(prompt: str) -> Mapping[str, object]:
    return {"messages": [{"role": "user", "content": prompt}]}


ASKING: Final[Mapping[Api, tuple[Parse, Words]]] = {
    "openai-chat": (parse_chat, _said),
    "openai-completions": (parse_completion, lambda prompt: {"prompt": prompt}),
    "openai-responses": (parse_response, lambda prompt: {"input": prompt}),
    "openai-embeddings": (parse_openai_embeddings, lambda prompt: {"input": prompt}),
    "anthropic-messages": (
        parse_messages,
        lambda prompt: {**_said(prompt), "max_tokens": MAX_TOKENS},
    ),
    "anthropic-count-tokens": (parse_count, _said),
    "ollama-chat": (parse_ollama_chat, _said),
    "ollama-generate": (parse_generate, lambda prompt: {"prompt": prompt}),
    "ollama-embed": (parse_ollama_embed, lambda prompt: {"input": prompt}),
    "ollama-embeddings": (parse_ollama_embeddings, lambda prompt: {"prompt": prompt}),
}


@dataclass(frozen=True, slots=True)
class Question:
    """`headers` are `name: value` lines."""

    model: str
    prompt: str
    user: str = ""
    headers: tuple[str, ...] = ()
    api: str = "openai-chat"

    def request(self) -> Request:
        """As the sidecar reads it. Raises `WrongUsage`, or what a caller would be told."""
        headers = dict(map(_header, self.headers))
        if self.user:
            headers["x-penstock-user"] = self.user
        parse, words = self._asking()
        body = json.dumps({"model": self.model, **words(self.prompt)}).encode()
        return parse(body, headers, "explain")

    def _asking(self) -> tuple[Parse, Words]:
        for api, asking in ASKING.items():
            if api == self.api:
                return asking
        msg = f"--api {self.api}: choose one of {', '.join(ASKING)}"
        raise WrongUsage(msg)


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        msg = f"--header {line}: write name: value"
        raise WrongUsage(msg)
    return name.strip().lower(), value.strip()
