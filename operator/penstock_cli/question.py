"""The request that `penstock explain` is asked about, in any API that a sidecar speaks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_cli.failure import WrongUsage
from penstock_sidecar.model import Api, Request
from penstock_sidecar.normalise.paths import PARSES

Words = Callable[[str], Mapping[str, object]]
"""What a request holds beside its model."""
MAX_TOKENS: Final = 1024
"""Anthropic's clients must name one."""


def _said(prompt: str) -> Mapping[str, object]:
    return {"messages": [{"role": "user", "content": prompt}]}


ASKING: Final[Mapping[Api, tuple[str, Words]]] = {
    "openai-chat": ("/v1/chat/completions", _said),
    "openai-completions": ("/v1/completions", lambda prompt: {"prompt": prompt}),
    "openai-responses": ("/v1/responses", lambda prompt: {"input": prompt}),
    "openai-embeddings": ("/v1/embeddings", lambda prompt: {"input": prompt}),
    "anthropic-messages": (
        "/v1/messages",
        lambda prompt: {**_said(prompt), "max_tokens": MAX_TOKENS},
    ),
    "anthropic-count-tokens": ("/v1/messages/count_tokens", _said),
    "ollama-chat": ("/api/chat", _said),
    "ollama-generate": ("/api/generate", lambda prompt: {"prompt": prompt}),
    "ollama-embed": ("/api/embed", lambda prompt: {"input": prompt}),
    "ollama-embeddings": ("/api/embeddings", lambda prompt: {"prompt": prompt}),
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
        path, words = self._asking()
        body = json.dumps({"model": self.model, **words(self.prompt)}).encode()
        return PARSES[path](body, headers, "explain")

    def _asking(self) -> tuple[str, Words]:
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
