"""What the environment may say."""

from pathlib import Path

import pytest

from penstock_operator.environment import SettingsError
from penstock_operator.settings import Settings


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.cluster, settings.namespace) == ("default", "penstock-system")
    assert settings.provider_namespaces == settings.watch_namespaces == ()
    assert settings.redis_url is None


def test_paths_ports_and_texts_are_parsed() -> None:
    environment = {
        "PENSTOCK_KUBECONFIG": "/some/where",
        "PENSTOCK_PROBE_PORT": "0",
        "PENSTOCK_REDIS_USERNAME": "sidecar",
    }
    settings = Settings.from_environment(environment)
    assert settings.kubeconfig == Path("/some/where")
    assert settings.probe_port == 0
    assert settings.redis_username == "sidecar"


def test_a_redis_address_of_another_scheme_is_refused() -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_REDIS_URL: expected redis://"):
        Settings.from_environment({"PENSTOCK_REDIS_URL": "http://redis"})


def test_a_password_in_the_redis_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_REDIS_PASSWORD") as caught:
        Settings.from_environment({"PENSTOCK_REDIS_URL": "redis://user:hush@redis:6379"})
    assert "hush" not in str(caught.value)


def test_a_ca_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    environment = {
        "PENSTOCK_REDIS_URL": "rediss://redis:6379",
        "PENSTOCK_REDIS_CA_FILE": str(tmp_path / "ca.pem"),
    }
    with pytest.raises(SettingsError, match="PENSTOCK_REDIS_CA_FILE"):
        Settings.from_environment(environment)


def test_users_are_managed_only_in_a_redis_that_is_named() -> None:
    assert not Settings.from_environment({}).redis_manage_users
    with pytest.raises(SettingsError, match="set PENSTOCK_REDIS_URL"):
        Settings.from_environment({"PENSTOCK_REDIS_MANAGE_USERS": "true"})


@pytest.mark.parametrize("cluster", ["with space", "ümlaut", "a*", "a:b"])
def test_a_name_that_no_redis_user_can_have_is_refused(cluster: str) -> None:
    environment = {
        "PENSTOCK_REDIS_MANAGE_USERS": "true",
        "PENSTOCK_REDIS_URL": "redis://redis:6379",
        "PENSTOCK_CLUSTER": cluster,
    }
    with pytest.raises(SettingsError, match="PENSTOCK_CLUSTER="):
        Settings.from_environment(environment)
    Settings.from_environment(environment | {"PENSTOCK_REDIS_MANAGE_USERS": "false"})


def test_settings_do_not_print_the_password() -> None:
    environment = {"PENSTOCK_REDIS_URL": "redis://redis", "PENSTOCK_REDIS_PASSWORD": "hush"}
    assert "hush" not in repr(Settings.from_environment(environment))


EMBEDDER = {
    "PENSTOCK_EMBEDDER_URL": "http://penstock-embedder.penstock-system.svc:4144",
    "PENSTOCK_EMBEDDER_SECRET": "hush",
}


@pytest.mark.parametrize(
    "url",
    ["http://embedder", "https://embedder.team.svc:8443", "http://10.0.0.7:1", "http://[::1]:4144"],
)
def test_an_embedder_s_address_is_taken(url: str) -> None:
    settings = Settings.from_environment(EMBEDDER | {"PENSTOCK_EMBEDDER_URL": url})
    assert (settings.embedder_url, settings.embedder_secret) == (url, "hush")


@pytest.mark.parametrize(
    "url",
    [
        "embedder:4144",
        "redis://embedder",
        "http://",
        "http://embedder/v1",
        "http://embedder/",
        "http://embedder?x=1",
        "http://embedder#x",
        "http://user:word@embedder",
        "http://embedder:port",
        "http://embedder:99999",
        "http://[::1",
    ],
)
def test_what_is_no_embedder_s_address_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_EMBEDDER_URL: expected") as caught:
        Settings.from_environment(EMBEDDER | {"PENSTOCK_EMBEDDER_URL": url})
    assert "word" not in str(caught.value)


def test_an_embedder_without_its_secret_is_refused() -> None:
    url = {"PENSTOCK_EMBEDDER_URL": EMBEDDER["PENSTOCK_EMBEDDER_URL"]}
    with pytest.raises(SettingsError, match="set PENSTOCK_EMBEDDER_SECRET"):
        Settings.from_environment(url)


def test_an_embedder_s_ca_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = {"PENSTOCK_EMBEDDER_CA_FILE": str(tmp_path / "ca.pem")}
    with pytest.raises(SettingsError, match="PENSTOCK_EMBEDDER_CA_FILE"):
        Settings.from_environment(EMBEDDER | missing)


def test_an_embedder_gets_a_redis_user_only_where_users_are_managed() -> None:
    word = {"PENSTOCK_EMBEDDER_REDIS_PASSWORD": "hush"}
    with pytest.raises(SettingsError, match="set PENSTOCK_REDIS_MANAGE_USERS=true"):
        Settings.from_environment(word)
    managed = {"PENSTOCK_REDIS_MANAGE_USERS": "true", "PENSTOCK_REDIS_URL": "redis://redis"}
    settings = Settings.from_environment(word | managed)
    assert settings.embedder_redis_password == "hush"


def test_settings_do_not_print_what_is_the_embedder_s() -> None:
    hushed = Settings(embedder_secret="very-hush", embedder_redis_password="most-hush")
    assert "hush" not in repr(hushed)


def test_two_processes_of_one_pod_have_different_identities() -> None:
    assert Settings(pod_name="penstock-0").identity.startswith("penstock-0_")


@pytest.mark.parametrize(
    "url",
    ["redis+sentinel://a:1,b:2/books", "redis+cluster://a:1,b", "rediss+cluster://a", "unix:///s"],
)
def test_every_kind_of_redis_is_taken(url: str) -> None:
    assert Settings.from_environment({"PENSTOCK_REDIS_URL": url}).redis_url == url


def test_seconds_and_truths_are_parsed() -> None:
    environment = {"PENSTOCK_BUDGET_SECONDS": "0.5", "PENSTOCK_NOTIFY_LOOPBACK": "true"}
    settings = Settings.from_environment(environment)
    assert (settings.budget_seconds, settings.notify_loopback) == (0.5, True)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon", "3601"])
def test_what_is_no_interval_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"PENSTOCK_BUDGET_SECONDS=.*: expected seconds"):
        Settings.from_environment({"PENSTOCK_BUDGET_SECONDS": text})


def test_what_is_neither_true_nor_false_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match=r"PENSTOCK_NOTIFY_LOOPBACK=.*: expected true or false"):
        Settings.from_environment({"PENSTOCK_NOTIFY_LOOPBACK": "yes"})


def test_a_sidecar_s_resources_are_json() -> None:
    text = '{"requests": {"cpu": "10m", "memory": 100000000}, "limits": {"cpu": 0.5}}'
    found = Settings.from_environment({"PENSTOCK_SIDECAR_RESOURCES": text})
    assert found.sidecar_resources == {
        "requests": {"cpu": "10m", "memory": "100000000"},
        "limits": {"cpu": "0.5"},
    }


@pytest.mark.parametrize(
    "text", ["{", "[]", '"a"', '{"request": {}}', '{"requests": 1}', '{"limits": {"cpu": true}}']
)
def test_what_are_no_resources_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_SIDECAR_RESOURCES: expected JSON"):
        Settings.from_environment({"PENSTOCK_SIDECAR_RESOURCES": text})


def test_variables_of_ollama_are_json() -> None:
    text = '{"HTTPS_PROXY": "http://user:hidden@proxy:3128"}'
    found = Settings.from_environment({"PENSTOCK_OLLAMA_ENVIRONMENT": text})
    assert found.ollama_environment == {"HTTPS_PROXY": "http://user:hidden@proxy:3128"}
    assert "hidden" not in repr(found)


@pytest.mark.parametrize("text", ["proxy", "[]", '{"A": 1}', '{"A-B": "x"}', '{"": "x"}'])
def test_what_are_no_variables_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="PENSTOCK_OLLAMA_ENVIRONMENT: expected JSON"):
        Settings.from_environment({"PENSTOCK_OLLAMA_ENVIRONMENT": text})


def test_models_are_run_nowhere_by_default() -> None:
    assert Settings.from_environment({}).ollama_namespaces == ()


@pytest.mark.parametrize("name", ["NATIVE_SIDECARS", "SIDECAR_PULL_POLICY"])
def test_what_is_none_of_the_choices_is_refused_with_them(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"PENSTOCK_{name}='maybe': expected one of \w+, "):
        Settings.from_environment({f"PENSTOCK_{name}": "maybe"})
    assert Settings.from_environment({"PENSTOCK_NATIVE_SIDECARS": "never"}).native_sidecars == (
        "never"
    )


@pytest.mark.parametrize("text", ["1", "0", "7d", "-5", "1.5", "999999999"])
def test_what_is_no_life_of_a_certificate_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"PENSTOCK_CERTIFICATE_SECONDS=.*: expected whole"):
        Settings.from_environment({"PENSTOCK_CERTIFICATE_SECONDS": text})


def test_a_ca_lives_for_several_leaves() -> None:
    environment = {"PENSTOCK_CERTIFICATE_SECONDS": "60", "PENSTOCK_CA_SECONDS": "240"}
    assert Settings.from_environment(environment).ca_seconds == 240
    with pytest.raises(SettingsError, match="PENSTOCK_CA_SECONDS=239: expected at least 4 times"):
        Settings.from_environment(environment | {"PENSTOCK_CA_SECONDS": "239"})


def test_the_operators_account_is_the_name_of_a_service_account() -> None:
    account = "system:serviceaccount:penstock-system:penstock-operator"
    environment = {"PENSTOCK_OPERATOR_ACCOUNT": account}
    assert Settings.from_environment(environment).operator_account == account
    with pytest.raises(SettingsError, match="PENSTOCK_OPERATOR_ACCOUNT='penstock-operator'"):
        Settings.from_environment({"PENSTOCK_OPERATOR_ACCOUNT": "penstock-operator"})
