"""What app containers are told, and what of theirs stays."""

from typing import Any

import pytest

from tests.operator.injection.pods import app, env_of, injected, pod

LOOPBACK = "localhost,127.0.0.1,::1"


def told(**container: Any) -> dict[str, str | None]:
    return env_of(injected(pod(app(**container)))["spec"]["containers"][0])


def variable(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    "name",
    ["OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"],
)
@pytest.mark.parametrize(
    "own",
    [
        {"value": "mine"},
        {"value": ""},
        {},
        {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    ],
)
def test_what_an_app_has_is_never_changed(name: str, own: dict[str, Any]) -> None:
    given = {"name": name, **own}
    container = injected(pod(app(env=[given])))["spec"]["containers"][0]
    assert [each for each in container["env"] if each["name"] == name] == [given]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (".corp", f".corp,{LOOPBACK}"),
        (".corp,", f".corp,{LOOPBACK}"),
        ("a, localhost ,b", "a, localhost ,b,127.0.0.1,::1"),
        ("", LOOPBACK),
        (LOOPBACK, LOOPBACK),
        ("*", "*"),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_loopback_is_added_to_the_hosts_without_a_proxy(
    name: str, given: str, expected: str
) -> None:
    """In both spellings: clients look at either first."""
    env = told(env=[variable("A", "1"), variable(name, given)])
    assert (env["NO_PROXY"], env["no_proxy"], env["A"]) == (expected, expected, "1")


def test_two_spellings_that_differ_stay_different() -> None:
    env = told(env=[variable("NO_PROXY", "a"), variable("no_proxy", "b")])
    assert (env["NO_PROXY"], env["no_proxy"]) == (f"a,{LOOPBACK}", f"b,{LOOPBACK}")


def test_a_list_from_elsewhere_is_not_hidden_by_a_new_one() -> None:
    elsewhere = {"name": "NO_PROXY", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    assert "no_proxy" not in told(env=[elsewhere])
    unseen = told(envFrom=[{"configMapRef": {"name": "proxies"}}])
    assert not {"NO_PROXY", "no_proxy"} & set(unseen)
    assert unseen["OPENAI_BASE_URL"] == "http://localhost:4141/v1"


@pytest.mark.parametrize(
    "server",
    [
        {"image": "ollama/ollama:0.9"},
        {"image": "registry:5000/mirror/ollama@sha256:abc"},
        {"image": "own:1", "ports": [{"containerPort": 11434}]},
    ],
)
def test_an_ollama_server_is_not_told_to_listen_where_we_do(server: dict[str, Any]) -> None:
    assert "OLLAMA_HOST" not in told(**server)


def test_an_ollama_client_is_told() -> None:
    assert told(image="shop/ollama-chat:1")["OLLAMA_HOST"] == "http://localhost:4141"
