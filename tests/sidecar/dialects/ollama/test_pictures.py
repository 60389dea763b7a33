import pytest

from penstock_sidecar.dialects.ollama.pictures import media_type_of
from tests.sidecar.dialects.ollama.given import GIF, JPEG, PNG, WAV, WEBP


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (GIF, "image/gif"),
        (WEBP, "image/webp"),
        (WAV, None),
        ("", None),
        ("iVBO", None),
        ("no base64 at all, whatever it is", None),
        (f"data:image/png;base64,{PNG}", None),
        ("\u2028" * 30, None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(data: str, media_type: str | None) -> None:
    assert media_type_of(data) == media_type
