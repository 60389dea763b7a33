"""What becomes of one picture."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageOps

from penstock_sidecar.pictures.bounds import TooManyPixels
from penstock_sidecar.pictures.metadata import without_metadata
from penstock_sidecar.pictures.scale import MAX_PIXELS, reduced
from tests.sidecar.pictures import made

KINDS = pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("JPEG", made.jpeg(600, 300)),
        ("PNG", made.png(600, 300)),
        ("PNG", made.png(600, 300, "P")),
        ("PNG", made.png(600, 300, "L")),
        ("WEBP", made.webp(600, 300)),
    ],
    ids=["jpeg", "png", "png-palette", "png-grey", "webp"],
)


def is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    return bool(pixel[0] > 200 and pixel[2] < 60)


@KINDS
def test_a_larger_picture_is_scaled_to_the_longest_side(kind: str, data: bytes) -> None:
    smaller = reduced(data, 100)
    assert smaller is not None
    image = made.opened(smaller)
    assert (image.format, image.size) == (kind, (100, 50))
    assert made.PLACE.encode() not in smaller
    assert not image.getexif()


@KINDS
def test_a_smaller_one_keeps_its_pixels_and_loses_its_metadata(kind: str, data: bytes) -> None:
    plain = reduced(data, 600)
    assert plain is not None
    assert made.PLACE.encode() in data or kind == "PNG"
    assert made.PLACE.encode() not in plain
    image, before = made.opened(plain), made.opened(data)
    assert image.tobytes() == before.tobytes()
    assert (image.mode, image.format) == (before.mode, kind)
    assert not image.getexif()
    assert reduced(plain, 600) == plain


def test_the_metadata_was_there_before() -> None:
    for data in (made.jpeg(8, 8), made.png(8, 8), made.webp(8, 8)):
        assert made.opened(data).getexif()[made.DESCRIPTION] == made.PLACE


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("max_side", [64, 4000])
def test_a_picture_is_turned_upright(orientation: int, max_side: int) -> None:
    """Pillow's own reading of the orientation is what it is compared with."""
    data = made.jpeg(160, 80, orientation)
    turned = reduced(data, max_side)
    assert turned is not None
    image, wanted = made.opened(turned).convert("RGB"), ImageOps.exif_transpose(made.opened(data))
    assert not made.opened(turned).getexif()
    assert (image.width > image.height) == (wanted.width > wanted.height)
    for x, y in ((0.1, 0.1), (0.9, 0.9)):
        here = image.getpixel((int(x * image.width), int(y * image.height)))
        there = wanted.getpixel((int(x * wanted.width), int(y * wanted.height)))
        assert is_red(here) == is_red(there)


def test_transparency_and_colours_stay() -> None:
    for data in (made.png(600, 300), made.webp(600, 300, lossless=True)):
        smaller = reduced(data, 60)
        assert smaller is not None
        image = made.opened(smaller)
        assert image.mode == "RGBA"
        left, right = image.getpixel((5, 15)), image.getpixel((55, 15))
        assert isinstance(left, tuple)
        assert isinstance(right, tuple)
        assert is_red(left)
        assert not is_red(right)
        assert abs(left[3] - 128) <= 4


def test_a_colour_profile_stays() -> None:
    profile = b"a profile " * 20
    for data in (made.jpeg(80, 40, icc_profile=profile), made.png(80, 40, icc_profile=profile)):
        for max_side in (20, 80):
            found = reduced(data, max_side)
            assert found is not None
            assert made.opened(found).info["icc_profile"] == profile


@pytest.mark.parametrize(
    "data",
    [
        made.gif(600, 300),
        made.animated("GIF"),
        made.animated("PNG"),
        made.animated("WEBP"),
        b"RIFF\x00\x00\x00\x10WEBP",
        b"%PDF-1.7 and so on",
        b"",
        made.png(600, 300)[:200],
        made.jpeg(600, 300)[:300],
    ],
    ids=[
        "gif",
        "gif-film",
        "png-film",
        "webp-film",
        "riff",
        "pdf",
        "none",
        "half-png",
        "half-jpeg",
    ],
)
def test_what_is_unknown_animated_or_broken_is_left_alone(data: bytes) -> None:
    assert reduced(data, 64) is None


def test_what_lies_behind_a_picture_s_end_is_dropped() -> None:
    for data in (made.jpeg(80, 40), made.png(80, 40)):
        assert reduced(data + b"a film with " + made.PLACE.encode(), 80) == reduced(data, 80)


def test_a_scan_of_many_passes_is_read_to_its_end() -> None:
    data = made.jpeg(300, 200, progressive=True)
    plain = without_metadata(data)
    assert plain is not None
    assert made.opened(plain).tobytes() == made.opened(data).tobytes()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, and has next to nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        ends = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + ends

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooManyPixels) as refused:
        reduced(bomb(60_000, 60_000), 1024)
    assert refused.value.pixels == 3_600_000_000
    with pytest.raises(TooManyPixels):
        reduced(bomb(MAX_PIXELS["PNG"] // 1000 + 1, 1000), 1024)


def test_a_large_jpeg_is_decoded_at_less_than_its_size() -> None:
    """Forty million pixels, more than are decoded of a PNG."""
    out = io.BytesIO()
    Image.new("L", (8000, 5000), 200).save(out, "JPEG")
    smaller = reduced(out.getvalue(), 500)
    assert smaller is not None
    assert made.opened(smaller).size == (500, 312)


def test_deep_greys_keep_their_depth() -> None:
    out = io.BytesIO()
    Image.new("I;16", (300, 200), 40_000).save(out, "PNG")
    plain = reduced(out.getvalue(), 100)
    assert plain is not None
    assert made.opened(plain).size == (300, 200)


@pytest.mark.parametrize(
    "whole",
    [made.jpeg(300, 200), made.png(300, 200), made.webp(300, 200)],
    ids=["jpeg", "png", "webp"],
)
@pytest.mark.parametrize("at", [0.3, 0.5, 0.7, 0.9])
def test_a_spoiled_picture_raises_nothing(whole: bytes, at: float) -> None:
    data = bytearray(whole)
    place = int(len(data) * at)
    data[place : place + 8] = b"\xff" * 8
    assert len(reduced(bytes(data), 64) or b"") <= len(data)
