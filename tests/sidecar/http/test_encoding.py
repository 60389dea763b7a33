"""Compressed bodies: read, bounded, and refused where they are something else."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.errors import BodyTooLarge, EncodingUnsupported, MalformedRequest
from penstock_sidecar.http.encoding import MAX_MEMBERS, PIECE_BYTES, codings, decoded
from tests.sidecar.http.edge import Edge, exchange, post

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOMY = 10**7
Compress = Callable[[bytes], bytes]


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


COMPRESS: Final[Mapping[str, Compress]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
JSON = b'{"model":"fast","messages":[]}'
names = pytest.mark.parametrize("name", COMPRESS)


@pytest.mark.parametrize("name", [*COMPRESS, "GZIP", "identity, gzip"])
async def test_a_compressed_body_is_read(edge: Edge, name: str) -> None:
    packed = COMPRESS[name.rpartition(" ")[2].lower()](JSON)
    assert (await exchange(edge.number, post(packed, content_encoding=name))).status == 200
    assert edge.service.asked[0].body == JSON


@names
async def test_a_bomb_is_refused_as_too_large(edge: Edge, name: str) -> None:
    bomb = COMPRESS[name](b" " * 10**6)
    response = await exchange(edge.number, post(bomb[:900], content_encoding=name))
    assert response.status in {400, 413}, "cut off, or already too large"
    response = await exchange(edge.number, post(bomb, content_encoding=name))
    assert (response.status, response.error["code"]) == (413, "request_too_large")
    assert edge.service.asked == []


@pytest.mark.parametrize("name", ["br", "compress", "gzip;q=1", "gzip, br", "zstd, gzip, zstd"])
async def test_another_coding_is_a_415_that_says_which_are_read(edge: Edge, name: str) -> None:
    response = await exchange(edge.number, post(JSON, content_encoding=name))
    assert (response.status, response.error["code"]) == (415, "unsupported_content_encoding")
    assert response.headers["accept-encoding"] == "gzip, deflate, zstd"
    assert "gzip, deflate, zstd" in response.error["message"]


@names
async def test_what_is_not_what_it_says_is_a_400(edge: Edge, name: str) -> None:
    for body in (b"", JSON, COMPRESS[name](JSON)[:-1], COMPRESS[name](JSON) + b"?"):
        response = await exchange(edge.number, post(body, content_encoding=name))
        assert (response.status, response.error["type"]) == (400, "invalid_request_error"), body


def test_codings_are_undone_last_first() -> None:
    twice = zstd.compress(gzip.compress(JSON))
    assert decoded(twice, codings("gzip, zstd"), ROOMY) == JSON
    with pytest.raises(MalformedRequest):
        decoded(twice, codings("zstd, gzip"), ROOMY)


def test_each_layer_is_bounded() -> None:
    within = gzip.compress(gzip.compress(b" " * 10**6, mtime=0) * 50)
    with pytest.raises(BodyTooLarge):
        decoded(within, codings("gzip, gzip"), 10_000)


def test_identity_is_no_coding() -> None:
    assert codings("identity, , IDENTITY") == codings("") == ()
    with pytest.raises(EncodingUnsupported):
        codings("br")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_one_after_the_other_are_one_body(name: str) -> None:
    parts = (JSON[:9], b"", JSON[9:])
    assert decoded(b"".join(map(COMPRESS[name], parts)), (name,), ROOMY) == JSON


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_that_hold_nothing_are_bounded_too(name: str) -> None:
    """No bound of bytes is ever reached by them: 10 MB would be minutes of work."""
    nothing = COMPRESS[name](b"")
    assert decoded(nothing * (MAX_MEMBERS - 1) + COMPRESS[name](JSON), (name,), ROOMY) == JSON
    with pytest.raises(MalformedRequest, match="1024 parts"):
        decoded(nothing * 100_000, (name,), ROOMY)


def test_deflate_without_zlibs_head_is_read_as_some_send_it() -> None:
    assert decoded(raw_deflate(JSON), ("deflate",), ROOMY) == JSON


def test_a_window_that_no_browser_may_use_is_refused() -> None:
    """It is memory, whatever the body's size (RFC 9659)."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    packed = zstd.compress(Random(1).randbytes(9 * 2**20), options=options)
    with pytest.raises(MalformedRequest):
        decoded(packed, ("zstd",), 2 * ROOMY)


@names
@given(st.binary(max_size=300), st.integers(0, 3 * PIECE_BYTES), st.integers(0, 40))
def test_a_body_comes_back_as_it_was_up_to_the_bound(
    name: str, start: bytes, blanks: int, most_less: int
) -> None:
    body = start + b" " * blanks + start
    packed = COMPRESS[name](body)
    assert decoded(packed, (name,), len(body)) == body
    if most_less and len(body) >= most_less:
        with pytest.raises(BodyTooLarge):
            decoded(packed, (name,), len(body) - most_less)


@names
@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_refusal(name: str, body: bytes) -> None:
    for sent in (body, COMPRESS[name](JSON)[: len(body)] + body):
        try:
            decoded(sent, (name,), 1000)
        except (BodyTooLarge, MalformedRequest):
            continue


def test_pictures_hardly_shrink_and_are_read_all_the_same() -> None:
    noise = Random(7).randbytes(2 * 2**20).hex()
    body = json.dumps({"image": noise}).encode()
    for name, compress in COMPRESS.items():
        assert decoded(compress(body), (name,), len(body)) == body
