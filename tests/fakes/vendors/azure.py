"""Azure OpenAI: OpenAI's bodies under its own paths, and its content filter's errors.

https://learn.microsoft.com/azure/foundry/openai/reference
https://learn.microsoft.com/azure/foundry/openai/concepts/content-filter
"""

import json
from typing import Final

from aiohttp import web

from penstock_cli.stub import Status, StubProvider

V1: Final = "/openai/v1"
DATED: Final = "/openai/deployments/{deployment}"
_OFF: Final = {"filtered": False, "severity": "safe"}


class AzureStub(StubProvider):
    """Without an `api-version` a dated path is not there, as with Azure."""

    def _routes(self, router: web.UrlDispatcher) -> None:
        for below in (V1, DATED):
            router.add_post(f"{below}/chat/completions", self._chat)
            router.add_post(f"{below}/completions", self._openai_completions)
            router.add_post(f"{below}/embeddings", self._openai_embeddings)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if "deployment" in request.match_info and "api-version" not in request.query:
            return web.json_response(NOT_FOUND, status=404)
        return await self._openai_chat(request)


NOT_FOUND: Final = {"error": {"code": "404", "message": "Resource not found"}}


def filtered(*, code: str | None = "content_filter") -> Status:
    """The prompt was refused by the content filter."""
    error = {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content"
        " management policy. Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": code,
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {
                "hate": _OFF,
                "jailbreak": {"filtered": False, "detected": False},
                "self_harm": _OFF,
                "sexual": _OFF,
                "violence": {"filtered": True, "severity": "high"},
            },
        },
    }
    return Status(400, body=json.dumps({"error": error}).encode())
