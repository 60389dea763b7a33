"""An application on LangChain, run by an environment's own Python: what it shall try comes in as
`URL MODEL WHAT...`, what came of it goes out as JSON.

It knows nothing of Penstock but the address.
"""

import json
import sys
from typing import Any, TypedDict

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import BadRequestError

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


class Town(TypedDict):
    """A town."""

    name: str


def weather(town: str) -> str:
    """Of a town."""
    return f"Sun in {town}"


WEATHER: Any = tool(weather)


class App:
    """`url` is the sidecar's, with `/v1`."""

    def __init__(self, url: str, model: str) -> None:
        self._known: dict[str, Any] = {"base_url": url, "api_key": "mine", "max_retries": 0}
        self._chat = ChatOpenAI(model=model, stream_usage=True, **self._known)
        self._model = model

    def chat(self) -> object:
        said = self._chat.invoke("Hi")
        return [said.text, said.usage_metadata["input_tokens"] if said.usage_metadata else None]

    def stream(self) -> object:
        pieces = list(self._chat.stream("Hi"))
        counted = [piece.usage_metadata for piece in pieces if piece.usage_metadata]
        return ["".join(p.text for p in pieces), counted[-1]["output_tokens"]]

    def tools(self) -> object:
        """Both calls are run, and their results told."""
        model, asked = self._chat.bind_tools([WEATHER]), HumanMessage("The weather?")
        called = model.invoke([asked])
        calls = called.tool_calls
        results = [ToolMessage(weather(**c["args"]), tool_call_id=c["id"]) for c in calls]
        told = model.invoke([asked, called, *results])
        return [[call["args"] for call in calls], told.text]

    def streamed_tools(self) -> object:
        whole: Any = None
        for piece in self._chat.bind_tools([WEATHER]).stream("The weather?"):
            whole = piece if whole is None else whole + piece
        return [call["args"] for call in whole.tool_calls]

    def schema(self) -> object:
        return self._chat.with_structured_output(Town, method="json_schema").invoke("A town?")

    def image(self) -> object:
        text = {"type": "text", "text": "What is it?"}
        return self._chat.invoke([HumanMessage([PICTURE, text])]).text

    def responses(self) -> object:
        model = ChatOpenAI(model=self._model, use_responses_api=True, **self._known)
        return model.invoke("Hi").text

    def embeddings(self) -> object:
        """Texts, not tokens: those it would cut itself, by a table that it would fetch."""
        made: Any = OpenAIEmbeddings(
            model=self._model, check_embedding_ctx_length=False, **self._known
        )
        return [len(vector) for vector in made.embed_documents(["one", "two"])]

    def error(self) -> object:
        try:
            self._chat.invoke("Hi")
        except BadRequestError as error:
            said: Any = error.body
            return [error.status_code, said["message"]]
        return None

    def retry(self) -> object:
        patient = ChatOpenAI(model=self._model, **{**self._known, "max_retries": 1})
        return patient.invoke("Hi").text


def main(url: str, model: str, *names: str) -> None:
    app = App(url, model)
    sys.stdout.write(json.dumps({name: getattr(app, name)() for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
