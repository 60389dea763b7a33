"""From credentials to a client."""

import logging

import pytest
from pydantic import SecretStr

from penstock_config.credentials import Credentials
from penstock_config.embedder import EmbedderAccess
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.embedding import open_embedder
from penstock_sidecar.upstream import Directory, Ways
from tests.sidecar.embedding.conftest import SHELF


def credentials(access: EmbedderAccess | None) -> Credentials:
    return Credentials(embedder=access, scope_key=SecretStr("scope"))


@pytest.mark.parametrize(
    ("access", "opened", "said"),
    [
        (None, False, ""),
        (EmbedderAccess(url="http://embedder:80", token=SecretStr("t")), True, ""),
        (
            EmbedderAccess(url="https://embedder:443", token=SecretStr("t"), ca_pem="no PEM"),
            False,
            "embedder.authorities_unreadable",
        ),
    ],
    ids=["none", "one", "one whose authorities cannot be read"],
)
async def test_there_is_a_client_where_an_embedder_can_be_reached(
    access: EmbedderAccess | None, opened: bool, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SystemClock()
    hold = Ways(Directory("https://login.example", None), clock).hold()
    with caplog.at_level(logging.INFO):
        found = open_embedder(credentials(access), "team", hold, clock, 0.05)
    await hold.close()
    assert (found is not None) == opened
    assert said in caplog.text
    assert SHELF not in caplog.text
