"""Pictures for tests, each made by Pillow, with metadata that must not leave."""

import io
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

PLACE = "52.5200 N 13.4050 E"
ORIENTATION = 0x0112
DESCRIPTION = 0x010E


def exif(orientation: int = 1) -> Image.Exif:
    found = Image.Exif()
    found[ORIENTATION] = orientation
    found[DESCRIPTION] = PLACE
    return found


def halves(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right; half transparent where `mode` can be."""
    image = Image.new("RGBA", (width, height), (255, 0, 0, 128))
    image.paste((0, 0, 255, 128), (width // 2, 0, width, height))
    return image.convert(mode)


def jpeg(width: int, height: int, orientation: int = 1, **options: Any) -> bytes:
    return _saved(
        halves(width, height), "JPEG", exif=exif(orientation), comment=PLACE.encode(), **options
    )


def png(width: int, height: int, mode: str = "RGBA", **options: Any) -> bytes:
    text = PngInfo()
    text.add_text("Location", PLACE)
    text.add_itxt("Where", PLACE)
    return _saved(halves(width, height, mode), "PNG", pnginfo=text, exif=exif(), **options)


def webp(width: int, height: int, **options: Any) -> bytes:
    xmp = f"<x:xmpmeta>{PLACE}</x:xmpmeta>".encode()
    return _saved(halves(width, height, "RGBA"), "WEBP", exif=exif(), xmp=xmp, **options)


def gif(width: int, height: int) -> bytes:
    return _saved(halves(width, height), "GIF", comment=PLACE.encode())


def animated(kind: str) -> bytes:
    frames = [halves(80, 40), halves(80, 40).rotate(180)]
    return _saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
