"""Pictures and files within a document: `data:image/png;base64,...` (RFC 2397)."""

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.prompt import File, Image


def image_of_url(url: str, where: str, detail: str | None = None) -> Image:
    """An address stays one. Raises `Unspeakable` for data that is not base64."""
    if not url.startswith("data:"):
        return Image(url=url, detail=detail, where=where)
    media_type, data = split(url, where)
    return Image(data, media_type or "image/png", detail=detail, where=where)


def file_of_url(url: str, name: str | None, where: str) -> File:
    if not url.startswith("data:"):
        return File(url=url, name=name, where=where)
    media_type, data = split(url, where)
    return File(data, media_type or "application/pdf", name=name, where=where)


def data_url(media_type: str, data: str) -> str:
    return f"data:{media_type};base64,{data}"


def split(url: str, where: str) -> tuple[str, str]:
    """Media type and base64."""
    head, comma, data = url.partition(",")
    if not (head.endswith(";base64") and comma):
        raise Unspeakable(where, " unless it is a base64 data URL")
    return head.removeprefix("data:").partition(";")[0], data
