"""What takes metadata out of pictures reads bytes that anybody may have made."""

from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.pictures.metadata import without_metadata
from tests.sidecar.pictures import made

WHOLE = [
    made.jpeg(16, 16),
    made.jpeg(16, 16, progressive=True),
    made.png(16, 16),
    made.webp(16, 16),
]
BEGINNINGS = [b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\x00\x00WEBP", b""]


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=300))
def test_any_bytes_are_read_to_an_end(beginning: bytes, data: bytes) -> None:
    found = without_metadata(beginning + data)
    assert found is None or len(found) <= len(beginning + data)


@given(st.sampled_from(WHOLE), st.data())
def test_a_changed_picture_is_read_to_an_end(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + 1 :]
    found = without_metadata(changed)
    assert found is None or len(found) <= len(changed)


def test_nothing_but_metadata_goes() -> None:
    """Twice is as once."""
    for whole in WHOLE:
        once = without_metadata(whole)
        assert once is not None
        assert len(once) < len(whole)
        assert without_metadata(once) == once


def test_a_small_picture_within_a_jpeg_goes() -> None:
    """It may show what was cut away."""
    whole = made.jpeg(16, 16)
    size = int.from_bytes(whole[4:6])
    jfif = whole[6 : 4 + size]
    assert jfif.startswith(b"JFIF\0")
    thumbnail = jfif[:-2] + b"\x01\x01" + b"RGB"
    longer = whole[:4] + (size + 3).to_bytes(2) + thumbnail + whole[4 + size :]
    assert made.opened(longer).size == (16, 16)
    found = without_metadata(longer)
    assert found is not None
    assert b"RGB" not in found
    assert made.opened(found).tobytes() == made.opened(whole).tobytes()
    plain = without_metadata(whole)
    assert plain is not None
    assert b"JFIF\0" in plain
