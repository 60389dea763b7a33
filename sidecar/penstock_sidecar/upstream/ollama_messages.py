"""OpenAI's messages in Ollama's shape: text apart from images, tool calls with parsed arguments."""

from collections.abc import Iterator, Mapping

from penstock_sidecar.upstream.document import parse
from penstock_sidecar.upstream.unsupported import unsupported

ROLES: Mapping[object, str] = {"developer": "system", "function": "tool"}


def ollama_messages(messages: object) -> list[Mapping[str, object]]:
    """Raises `UpstreamUnsupported` for what Ollama has no words for."""
    names: dict[object, object] = {}
    return [
        _message(message, f"messages[{index}]", names)
        for index, message in enumerate(messages if isinstance(messages, list) else [])
        if isinstance(message, dict)
    ]


def _message(
    message: Mapping[str, object], where: str, names: dict[object, object]
) -> Mapping[str, object]:
    """`names` remembers which tool a call's id stands for: Ollama knows results by the name."""
    role = message.get("role")
    text, images = _content(message.get("content"), f"{where}.content")
    refusal = message.get("refusal")
    said: dict[str, object] = {
        "role": ROLES.get(role, role),
        "content": text or (refusal if isinstance(refusal, str) else ""),
    }
    if images:
        said["images"] = images
    if isinstance(thinking := message.get("reasoning_content"), str):
        said["thinking"] = thinking
    if calls := list(_calls(message.get("tool_calls"), f"{where}.tool_calls", names)):
        said["tool_calls"] = calls
    if said["role"] == "tool":
        call_id = message.get("tool_call_id")
        said["tool_name"] = names.get(call_id, message.get("name") or "")
        said["tool_call_id"] = call_id or ""
    return said


def _content(content: object, where: str) -> tuple[str, list[str]]:
    if not isinstance(content, list):
        return (content if isinstance(content, str) else ""), []
    texts, images = [], []
    for index, part in enumerate(content):
        match part:
            case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
                images.append(_image(url, f"{where}[{index}].image_url"))
            case _:
                raise unsupported(f"{where}[{index}]")
    return "\n".join(texts), images


def _image(url: str, where: str) -> str:
    """The base64 of a data URL (RFC 2397)."""
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64") and comma):
        raise unsupported(where, " unless it is a base64 data URL")
    return data


def _calls(
    calls: object, where: str, names: dict[object, object]
) -> Iterator[Mapping[str, object]]:
    for index, call in enumerate(calls if isinstance(calls, list) else []):
        match call:
            case {"function": {"name": str(name), "arguments": str(arguments)}}:
                names[call.get("id")] = name
                parsed = _arguments(arguments, f"{where}[{index}].function.arguments")
                yield {"id": call.get("id") or "", "function": {"name": name, "arguments": parsed}}
            case _:
                raise unsupported(f"{where}[{index}]")


def _arguments(text: str, where: str) -> Mapping[str, object]:
    try:
        arguments = parse(text.encode("utf-8", "replace") or b"{}")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        raise unsupported(where, " unless they are a JSON object")
    return arguments
