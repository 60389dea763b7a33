"""Requests to Gemini's models, for tests."""

from typing import Any

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.gemini.write import write_chat
from penstock_sidecar.dialects.openai_chat.read import read_chat
from penstock_sidecar.dialects.prompt import Prompt, Turn
from tests.fakes.vendors.gemini_rules import complaint

NEWEST = "gemini-3.7-flash"
FORMER = "gemini-2.5-flash"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def wrote(model: str = NEWEST, most: int | None = None, **fields: Any) -> dict[str, Any]:
    """Of a request in OpenAI's dialect, and one that Google would take."""
    document = {"model": "fast", "messages": [{"role": "user", "content": "Hi"}], **fields}
    body = write_chat(read_chat(document), Ask(model, False, most, reasons=True))
    assert complaint(body, strict=model == NEWEST) is None
    return body


def of(*turns: Turn, model: str = NEWEST, **fields: Any) -> Any:
    return write_chat(Prompt(turns, **fields), Ask(model, False, None, reasons=True))


def called(id_: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"id": id_, "type": "function", "function": function, **more}


def extra(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}}
