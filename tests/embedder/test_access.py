"""A token opens its own namespace, and nothing else."""

from collections.abc import Mapping

import pytest

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import NAMESPACE_HEADER, RefusalCode, namespace_token
from penstock_embedder.access import Access
from penstock_embedder.errors import Refused


def headers(namespace: str, token: str) -> Mapping[str, str]:
    return {NAMESPACE_HEADER: namespace, "Authorization": f"Bearer {token}"}


@pytest.fixture
def access() -> Access:
    return Access("secret", "main")


def test_whose_token_it_is(access: Access) -> None:
    token = namespace_token("secret", "main", "team-a")
    for _ in range(2):
        assert access.namespace(headers("team-a", token)) == "team-a"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": f"Bearer {namespace_token('secret', 'main', '')}"},
        headers("team-b", namespace_token("secret", "main", "team-a")),
        headers("team-a", namespace_token("another", "main", "team-a")),
        headers("team-a", namespace_token("secret", "other", "team-a")),
        headers("team-a", ""),
        headers("team-a", "\u00e9"),
        {NAMESPACE_HEADER: "team-a", "Authorization": namespace_token("secret", "main", "team-a")},
    ],
)
def test_anything_else_is_nobodys(access: Access, given: Mapping[str, str]) -> None:
    access.namespace(headers("team-a", namespace_token("secret", "main", "team-a")))
    with pytest.raises(Refused) as caught:
        access.namespace(given)
    assert caught.value.code == RefusalCode.UNAUTHORISED
    assert caught.value.status == 401


def test_a_shelf_is_the_namespaces_own(access: Access) -> None:
    access.check_shelf("team-a", Shelves.of("main", "team-a", "chat.v2", "0a").prefix)


@pytest.mark.parametrize(
    "shelf",
    [
        "",
        Shelves.of("main", "team-b", "chat", "0a").prefix,
        Shelves.of("other", "team-a", "chat", "0a").prefix,
        Shelves.of("main", "team-a", "chat", "0a").prefix.replace(":2:", ":3:"),
        "main:c:team-a:2:",
        "main:c:team-a:2:chat:{0a}",
        "main:c:team-a:2:chat:{0a}:a:",
        "main:c:team-a:2:chat:0a:",
        "main:c:team-a:2:{x}:chat:{0a}:",
        "main:c:team-a:2:chat:{0a}:\n",
    ],
)
def test_another_shelf_is_refused(access: Access, shelf: str) -> None:
    with pytest.raises(Refused) as caught:
        access.check_shelf("team-a", shelf)
    assert caught.value.code == RefusalCode.FOREIGN_SHELF
    assert caught.value.status == 403
