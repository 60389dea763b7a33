"""Scales one picture down, by Pillow; the only module that knows it, imported where policies ask.

Runs in a thread. What is decoded is bounded before it is: a picture says its size in its first
bytes.
"""

import io
import struct
from collections.abc import Mapping
from typing import Final

from PIL import Image, UnidentifiedImageError

from penstock_sidecar.pictures.bounds import TooManyPixels
from penstock_sidecar.pictures.metadata import without_metadata

FORMATS: Final = ("PNG", "JPEG", "WEBP")
MAX_PIXELS: Final[Mapping[str, int]] = {"PNG": 24_000_000, "WEBP": 6_000_000}
"""To be decoded. A PNG takes four bytes for each, libwebp sixteen: about 96 MB beside the 64 MB of
a sidecar, whose usual limit is 256."""
MAX_JPEG_PIXELS: Final = 250_000_000
"""A JPEG is decoded at an eighth of its sides, where that is enough: this bounds the time."""
MAX_DECODED_PIXELS: Final = 24_000_000
"""Of a JPEG, at that scale."""
STRIP_ROWS: Final = 256
ORIENTATION: Final = 0x0112
UPRIGHT: Final = 1
QUALITY: Final = 85
MIN_FACTOR: Final = 2
PLAIN_MODES: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
DEEP_MODES: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L"})
"""Of 16 bits and more, which scaling would round away."""
UNREADABLE: Final = (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error)
"""What Pillow raises for a broken file."""
TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its orientation: EXIF 2.32, 4.6.4."""
Image.MAX_IMAGE_PIXELS = None  # its own bound only warns up to 179 megapixels; ours refuses


def reduced(data: bytes, max_side: int) -> bytes | None:
    """The picture at that longest side, upright, in its own format and without metadata; one that
    is no larger keeps its pixels as they are. None for what is left alone: other formats and
    animations. Raises `TooManyPixels`."""
    plain = without_metadata(data)
    if plain is None:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            fits = max(image.size) <= max_side and _orientation(image) == UPRIGHT
            if fits or image.mode in DEEP_MODES:
                return plain
            return _encoded(_scaled(image, max_side), image)
    except UNREADABLE:
        return plain  # as broken as it came: the provider says so in its own words


def _orientation(image: Image.Image) -> int:
    """As the header says: a PNG's own `getexif` would decode all of it to look behind."""
    found = Image.Image.getexif(image).get(ORIENTATION, UPRIGHT)
    return found if isinstance(found, int) else UPRIGHT


def _scaled(image: Image.Image, max_side: int) -> Image.Image:
    _refuse_more_than(MAX_PIXELS.get(image.format or "", MAX_JPEG_PIXELS), image)
    orientation = _orientation(image)
    scale = min(1.0, max_side / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    image.draft(None, (width, height))  # of JPEGs alone: decodes no more than is needed
    _refuse_more_than(MAX_DECODED_PIXELS, image)
    small = _in_plain_mode(_reduced_by(image, max(image.size) // max(width, height)))
    if small.size != (width, height):
        small = small.resize((width, height), Image.Resampling.LANCZOS)
    turn = TURNS.get(orientation)
    return small if turn is None else small.transpose(turn)


def _refuse_more_than(most: int, image: Image.Image) -> None:
    pixels = image.width * image.height
    if pixels > most:
        raise TooManyPixels(pixels, most)


def _reduced_by(image: Image.Image, factor: int) -> Image.Image:
    """By a whole factor first, strip by strip: with transparency Pillow would copy all of it."""
    if factor < MIN_FACTOR or image.mode not in PLAIN_MODES:
        return image
    size = (-(-image.width // factor), -(-image.height // factor))
    small = Image.new(image.mode, size)
    rows = factor * max(1, STRIP_ROWS // factor)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        small.paste(strip.reduce(factor), (0, top // factor))
    return small


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """One that can be scaled: palettes cannot."""
    if image.mode in PLAIN_MODES:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _encoded(image: Image.Image, source: Image.Image) -> bytes:
    """In the source's format; of what it says beside the pixels, only how colours are meant."""
    profile = source.info.get("icc_profile")
    image.info = {}
    out = io.BytesIO()
    match source.format:
        case "PNG":
            image.save(out, "PNG", icc_profile=profile)
        case "WEBP":
            image.save(out, "WEBP", quality=QUALITY, icc_profile=profile or b"")
        case _:
            image.save(out, "JPEG", quality=QUALITY, icc_profile=profile)
    return out.getvalue()
