"""Private authorities change under a running stream."""

import asyncio
from pathlib import Path

from penstock_cli.stub import Ok
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig
from tests.fakes.tls import tls_before
from tests.planes.plane import NAMESPACE, Plane, chat
from tests.servers.certificates import Certificates, certificates

MAIN = f"{NAMESPACE}/main"


def behind(plane: Plane, url: str, own: Certificates) -> tuple[SidecarConfig, Credentials]:
    """The first provider at an address whose certificate only its own authority knows."""
    config = plane.config()
    first, *others = config.providers
    private = first.model_copy(update={"base_url": f"{url}/v1", "private_ca": True})
    told = config.model_copy(update={"providers": (private, *others)})
    return told, plane.credentials().model_copy(update={"authorities": {MAIN: own.ca_pem}})


async def test_a_stream_ends_as_it_began_while_authorities_are_rotated(
    plane: Plane, tmp_path: Path
) -> None:
    for name in ("former", "latter"):
        (tmp_path / name).mkdir()
    former, latter = certificates(tmp_path / "former"), certificates(tmp_path / "latter")
    pieces = asyncio.Semaphore(1)
    async with (
        tls_before(plane.main.url, former) as old,
        tls_before(plane.main.url, latter) as new,
        plane.client() as client,
    ):
        await plane.publish(*behind(plane, old, former))
        plane.main.always(Ok(text="one two three", each=pieces))
        stream = await client.chat.completions.create(**chat(), stream=True)
        first = await anext(aiter(stream))
        await plane.publish(*behind(plane, new, latter))
        plane.main.always(Ok("new"))
        answer = await client.chat.completions.create(**(chat() | {"model": "solo"}))
        assert answer.choices[0].message.content == "new"
        pieces.release()
        pieces.release()
        chunks = [first, *[chunk async for chunk in stream]]
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "one two three"


async def test_an_authority_that_is_no_longer_trusted_is_not_for_new_requests(
    plane: Plane, tmp_path: Path
) -> None:
    """Also where a connection that it vouched for is still open."""
    for name in ("former", "latter"):
        (tmp_path / name).mkdir()
    former, latter = certificates(tmp_path / "former"), certificates(tmp_path / "latter")
    async with tls_before(plane.main.url, former) as url:
        await plane.publish(*behind(plane, url, former))
        assert (await plane.ask(chat() | {"model": "solo"})).status == 200
        await plane.publish(*behind(plane, url, latter))
        refused = await plane.ask(chat() | {"model": "solo"})
    assert refused.status == 502
    assert b"its certificate is not trusted" in refused.body
