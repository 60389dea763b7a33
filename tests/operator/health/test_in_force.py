"""What of all namespaces' configurations is probed, and with what."""

from pydantic import SecretStr

from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig
from penstock_operator.health.in_force import in_force
from tests.operator.health.facts import provider


def config(namespace: str, *ids: str) -> SidecarConfig:
    providers = tuple(provider(id=id_, needs_key=True) for id_ in ids)
    return SidecarConfig(
        cluster="test", namespace=namespace, providers=providers, tiers=(), policies=()
    )


def credentials(**keys: tuple[str, ...]) -> Credentials:
    given = {f"llm/{name}": tuple(SecretStr(k) for k in found) for name, found in keys.items()}
    return Credentials(provider_keys=given, scope_key=SecretStr("scope"))


def test_a_provider_of_several_namespaces_is_one_and_its_first_key_is_used() -> None:
    given = {
        "shop": (config("shop", "llm/a"), credentials(a=("first", "second"))),
        "team": (config("team", "llm/a", "llm/b"), credentials(b=("own",))),
    }
    found = in_force(given).providers
    assert sorted(found) == ["llm/a", "llm/b"]
    keys = {id_: each.key.get_secret_value() for id_, each in found.items() if each.key}
    assert keys == {"llm/a": "first", "llm/b": "own"}


def test_one_namespace_without_a_key_takes_no_others() -> None:
    bare = (config("bare", "llm/a"), None)
    given = {"bare": bare, "shop": (config("shop", "llm/a"), credentials(a=("key",)))}
    assert in_force(given).providers["llm/a"].key is not None
    assert in_force({"bare": bare}).providers["llm/a"].key is None
