"""Pictures, sound and files: as data, or by an address that Google fetches."""

import mimetypes
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.prompt import Audio, File, Image

SCHEMES: Final = frozenset({"https", "gs"})
"""https://ai.google.dev/gemini-api/docs/file-input-methods."""
TYPES: Final[Mapping[str, str]] = {
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".md": "text/markdown",
}
"""That not every machine's table of names knows."""


def media_part(part: Image | Audio | File) -> dict[str, object]:
    """Raises `Unspeakable`."""
    if isinstance(part, Audio):
        return _inline(f"audio/{part.format}", part.data)
    return _addressed(part) if part.url else _inline(part.media_type, part.data)


def _inline(media_type: str, data: str) -> dict[str, object]:
    return {"inlineData": {"mimeType": media_type, "data": data}}


def _addressed(part: Image | File) -> dict[str, object]:
    """Its type is told where the address shows it; else Google goes by what it gets there."""
    try:
        address = urlsplit(part.url)
    except ValueError:
        raise Unspeakable(part.where) from None
    if address.scheme not in SCHEMES:
        raise Unspeakable(part.where, " unless its URL begins with https://")
    data: dict[str, object] = {"fileUri": part.url}
    if media_type := part.media_type or _type_of(address.path):
        data["mimeType"] = media_type
    return {"fileData": data}


def _type_of(path: str) -> str | None:
    ending = path[path.rfind(".") :].lower() if "." in path else ""
    return TYPES.get(ending) or mimetypes.types_map.get(ending)
