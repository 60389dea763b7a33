"""What costs no known most at Gemini alone, whoever asks.

A picture by its address is whatever Google finds there: a PDF of a thousand pages, an hour's video,
each billed by its length (https://ai.google.dev/gemini-api/docs/file-input-methods, and
https://ai.google.dev/gemini-api/docs/video-understanding for YouTube). Others take pictures only.
"""

from collections.abc import Iterator, Mapping

from penstock_sidecar.metering.parts import IMAGE_PARTS, image_url, kind_of
from penstock_sidecar.model import JsonObject, Request


def of_gemini(request: Request) -> Iterator[str]:
    """Paths of pictures that do not come along."""
    where = request.input_field
    return _addressed(request.document.get(where), where)


def _addressed(value: object, where: str) -> Iterator[str]:
    """Wherever they stand: in messages, in results, in documents of blocks."""
    match value:
        case Mapping():
            if kind_of(value) in IMAGE_PARTS and not _comes_along(value):
                yield where
                return
            for name, inner in value.items():
                yield from _addressed(inner, f"{where}.{name}")
        case list():
            for index, inner in enumerate(value):
                yield from _addressed(inner, f"{where}[{index}]")
        case _:
            return


def _comes_along(part: JsonObject) -> bool:
    source = part.get("source")
    if isinstance(source, Mapping):
        return source.get("type") == "base64"
    return image_url(part).startswith("data:")
