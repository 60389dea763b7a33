"""Where a request's document holds pictures that came along, and the document with others there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.dialects.places import Step, with_texts_at
from penstock_sidecar.metering.parts import IMAGE_PARTS
from penstock_sidecar.model import JsonObject

HOLDERS: Final = ("content", "output", "source")
"""Fields of messages, items and blocks in which further blocks may lie. Arguments of tools are
nobody's pictures."""
ROOTS: Final = ("messages", "input")


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """`data` is base64; `head` stands before it (`data:image/png;base64,`)."""

    path: tuple[Step, ...]
    head: str
    data: str

    @property
    def where(self) -> str:
        """As people write it: `messages[0].content[1]`."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


def places_of(document: JsonObject) -> Iterator[Place]:
    """Addresses of pictures elsewhere are none."""
    for root in ROOTS:
        yield from _within(document.get(root), (root,))
    yield from _attached(document.get("images"), ("images",))


def with_pictures(document: JsonObject, new: Mapping[Place, str]) -> JsonObject:
    """The document with this base64 in those places; what does not change is shared."""
    texts = ((place.path, place.head + data) for place, data in new.items())
    return with_texts_at(document, texts)


def _within(node: object, path: tuple[Step, ...]) -> Iterator[Place]:
    if isinstance(node, list):
        for index, each in enumerate(node):
            yield from _within(each, (*path, index))
    elif isinstance(node, Mapping):
        if node.get("type") in IMAGE_PARTS:
            yield from _picture(node, path)
        yield from _attached(node.get("images"), (*path, "images"))
        for name in HOLDERS:
            yield from _within(node.get(name), (*path, name))


def _picture(part: JsonObject, path: tuple[Step, ...]) -> Iterator[Place]:
    match part:
        case {"image_url": {"url": str(url)}}:
            yield from _of_url(url, (*path, "image_url", "url"))
        case {"image_url": str(url)}:
            yield from _of_url(url, (*path, "image_url"))
        case {"source": {"type": "base64", "data": str(data)}}:
            yield Place((*path, "source", "data"), "", data)
        case _:
            return


def _of_url(url: str, path: tuple[Step, ...]) -> Iterator[Place]:
    head, comma, data = url.partition(",")
    if url.startswith("data:") and head.endswith(";base64"):
        yield Place(path, head + comma, data)


def _attached(images: object, path: tuple[Step, ...]) -> Iterator[Place]:
    """Ollama's way."""
    for index, data in enumerate(images if isinstance(images, list) else ()):
        if isinstance(data, str):
            yield Place((*path, index), "", data)
