import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import SecretStr

from penstock_config.codec import (
    ConfigError,
    config_file_name,
    credentials_file_name,
    digest,
    encode,
)
from penstock_config.credentials import Credentials
from penstock_config.older import as_version_1
from penstock_config.schema import SidecarConfig
from penstock_sidecar.settings import Settings
from penstock_sidecar.watcher import Loaded, Watcher, parse_labels
from tests.fakes.volume import Volume

CONFIG = SidecarConfig(cluster="one", namespace="team")
OTHER_CONFIG = SidecarConfig(cluster="two", namespace="team")
CREDENTIALS = Credentials(scope_key=SecretStr("first"))
OTHER_CREDENTIALS = Credentials(scope_key=SecretStr("second"))


@dataclass
class Station:
    """A watcher on three volumes, and what it did."""

    config: Volume
    credentials: Volume
    pod_info: Volume
    loaded: list[Loaded] = field(default_factory=list)
    rejected: int = 0
    published: list[tuple[str, str]] = field(default_factory=list)
    load: Callable[[Loaded], Awaitable[None]] | None = None

    def configuration_loaded(self, config_digest: str, credentials_digest: str) -> None:
        self.published.append((config_digest, credentials_digest))

    def configuration_rejected(self) -> None:
        self.rejected += 1

    async def put_to_work(self, loaded: Loaded) -> None:
        if self.load:
            await self.load(loaded)
        self.loaded.append(loaded)

    def publish(
        self, config: SidecarConfig = CONFIG, credentials: Credentials = CREDENTIALS
    ) -> None:
        self.config.publish(config_v2_json=encode(config))
        self.credentials.publish(credentials_v2_json=encode(credentials))


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(
        config=Volume(tmp_path / "config"),
        credentials=Volume(tmp_path / "credentials"),
        pod_info=Volume(tmp_path / "pod"),
    )


@pytest.fixture
def watcher(station: Station) -> Watcher:
    settings = Settings(
        config_dir=station.config.path,
        credentials_dir=station.credentials.path,
        pod_info_dir=station.pod_info.path,
    )
    return Watcher(settings, station.put_to_work, station)


async def test_nothing_mounted_is_waited_for_without_complaint(
    watcher: Watcher, station: Station
) -> None:
    await watcher.check()
    assert (station.loaded, station.rejected, watcher.last_error) == ([], 0, "")
    assert watcher.waiting_for == (config_file_name(), credentials_file_name())


async def test_folders_that_do_not_exist_are_waited_for(station: Station, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    watcher = Watcher(Settings(nowhere, nowhere, nowhere), station.put_to_work, station)
    await watcher.check()
    assert watcher.last_error == ""


async def test_what_is_mounted_is_put_to_work_once(watcher: Watcher, station: Station) -> None:
    station.publish()
    station.pod_info.publish(labels=b'app="shop"\ntier="web"')
    await watcher.check()
    await watcher.check()
    (loaded,) = station.loaded
    assert loaded.config == CONFIG
    assert loaded.labels == {"app": "shop", "tier": "web"}
    assert station.published == [(digest(encode(CONFIG)), digest(encode(CREDENTIALS)))]
    assert watcher.waiting_for == ()


async def test_a_configuration_without_credentials_waits(
    watcher: Watcher, station: Station
) -> None:
    station.config.publish(config_v2_json=encode(CONFIG))
    await watcher.check()
    assert station.loaded == []
    assert watcher.waiting_for == ("credentials.v2.json",)


async def test_a_swap_of_the_kubelet_s_link_is_seen(watcher: Watcher, station: Station) -> None:
    station.publish()
    await watcher.check()
    station.config.publish(config_v2_json=encode(OTHER_CONFIG))
    await watcher.check()
    assert [loaded.config.cluster for loaded in station.loaded] == ["one", "two"]


async def test_rotated_credentials_are_put_to_work(watcher: Watcher, station: Station) -> None:
    station.publish()
    await watcher.check()
    station.credentials.publish(credentials_v2_json=encode(OTHER_CREDENTIALS))
    await watcher.check()
    assert station.loaded[-1].credentials == OTHER_CREDENTIALS
    assert station.loaded[-1].config == CONFIG


async def test_changed_labels_are_put_to_work(watcher: Watcher, station: Station) -> None:
    station.publish()
    station.pod_info.publish(labels=b'app="shop"')
    await watcher.check()
    station.pod_info.publish(labels=b'app="bank"')
    await watcher.check()
    assert [loaded.labels["app"] for loaded in station.loaded] == ["shop", "bank"]


async def test_the_same_content_in_a_new_generation_changes_nothing(
    watcher: Watcher, station: Station
) -> None:
    station.publish()
    await watcher.check()
    station.publish()
    await watcher.check()
    assert len(station.loaded) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encode(OTHER_CONFIG)[:-9], "not JSON (cut off?)"),
        (b"", "not JSON (cut off?)"),
        (json.dumps({"schema_version": 3, "cluster": "x"}).encode(), "schema_version is 3"),
        (b'{"schema_version": 2, "cluster": 5, "namespace": "sk-secret"}', "cluster: "),
        (b"\xff\xfe", "not JSON"),
    ],
)
async def test_a_bad_file_changes_nothing_and_is_reported_once(
    watcher: Watcher,
    station: Station,
    caplog: pytest.LogCaptureFixture,
    data: bytes,
    reason: str,
) -> None:
    station.publish()
    await watcher.check()
    station.config.publish(config_v2_json=data)
    for _ in range(3):
        await watcher.check()
    assert len(station.loaded) == 1
    assert reason in watcher.last_error
    assert "sk-secret" not in watcher.last_error
    assert station.rejected == 1
    assert [r.msg for r in caplog.records if r.levelname == "ERROR"] == ["config.rejected"]


async def test_a_mended_file_clears_the_error(watcher: Watcher, station: Station) -> None:
    station.publish()
    station.config.publish(config_v2_json=b"{")
    await watcher.check()
    station.config.publish(config_v2_json=encode(OTHER_CONFIG))
    await watcher.check()
    assert watcher.last_error == ""
    assert station.loaded[-1].config == OTHER_CONFIG


async def test_rotated_keys_are_taken_even_while_the_configuration_is_bad(
    watcher: Watcher, station: Station
) -> None:
    station.publish()
    await watcher.check()
    station.config.publish(config_v2_json=b"{")
    station.credentials.publish(credentials_v2_json=encode(OTHER_CREDENTIALS))
    await watcher.check()
    assert station.loaded[-1].config == CONFIG
    assert station.loaded[-1].credentials == OTHER_CREDENTIALS


async def test_a_file_that_is_gone_leaves_the_last_one_at_work(
    watcher: Watcher, station: Station
) -> None:
    station.publish()
    await watcher.check()
    station.config.publish()
    await watcher.check()
    assert watcher.last_error == "config.v2.json is gone"
    assert len(station.loaded) == 1


async def test_only_a_newer_version_says_which_side_to_upgrade(
    watcher: Watcher, station: Station
) -> None:
    station.config.publish(config_v3_json=b"{}")
    await watcher.check()
    assert watcher.last_error == (
        "config.v2.json is not there, only config.v3.json: upgrade this sidecar"
    )


async def test_an_older_operator_s_file_is_put_to_work(watcher: Watcher, station: Station) -> None:
    older = as_version_1(CONFIG).data
    station.config.publish(config_v1_json=older)
    station.credentials.publish(credentials_v2_json=encode(CREDENTIALS))
    await watcher.check()
    assert (station.loaded[-1].config, watcher.last_error) == (CONFIG, "")
    assert station.published == [(digest(older), digest(encode(CREDENTIALS)))]


async def test_of_two_versions_the_newest_that_is_known_is_read(
    watcher: Watcher, station: Station
) -> None:
    station.publish()
    station.config.publish(
        config_v1_json=as_version_1(OTHER_CONFIG).data,
        config_v2_json=encode(CONFIG),
        config_v3_json=b"{}",
    )
    await watcher.check()
    assert [loaded.config for loaded in station.loaded] == [CONFIG]
    assert watcher.last_error == ""


async def test_an_operator_that_is_upgraded_and_rolled_back_is_followed(
    watcher: Watcher, station: Station
) -> None:
    """The digest told is that of the file in use; no look finds nothing, and none is complained
    of."""
    newest, older = encode(CONFIG), as_version_1(CONFIG).data
    station.publish()
    for files in (
        {"config_v1_json": older},
        {"config_v1_json": older, "config_v2_json": newest},
        {"config_v1_json": older},
    ):
        station.config.publish(**files)
        await watcher.check()
        await watcher.check()
        assert (watcher.last_error, watcher.waiting_for) == ("", ())
    assert [config_digest for config_digest, _ in station.published] == [
        digest(older),
        digest(newest),
        digest(older),
    ]
    assert {loaded.config for loaded in station.loaded} == {CONFIG}


async def test_an_older_file_in_place_of_a_bad_newer_one_mends_it(
    watcher: Watcher, station: Station
) -> None:
    """Beside it, it does not: it may deny what the newer one serves."""
    station.publish()
    station.config.publish(config_v1_json=as_version_1(CONFIG).data, config_v2_json=b"{")
    await watcher.check()
    assert station.loaded == []
    assert watcher.last_error.startswith("config.v2.json: not JSON")
    station.config.publish(config_v1_json=as_version_1(CONFIG).data)
    await watcher.check()
    assert [loaded.config for loaded in station.loaded] == [CONFIG]
    assert watcher.last_error == ""


async def test_what_cannot_be_put_to_work_is_reported_once_and_tried_again(
    watcher: Watcher, station: Station
) -> None:
    async def fail(_: Loaded) -> None:
        msg = "sk-secret"
        raise RuntimeError(msg)

    station.load = fail
    station.publish()
    for _ in range(3):
        await watcher.check()
    assert watcher.last_error == "cannot be put to work: RuntimeError"
    assert station.rejected == 1
    station.load = None
    await watcher.check()
    assert watcher.last_error == ""
    assert len(station.loaded) == 1


async def test_what_the_files_say_wrong_is_reported_in_its_own_words(
    watcher: Watcher, station: Station
) -> None:
    async def refuse(_: Loaded) -> None:
        raise ConfigError("redis.url begins with redis://")

    station.load = refuse
    station.publish()
    await watcher.check()
    assert watcher.last_error == "redis.url begins with redis://"


def test_labels_are_read_as_the_downward_api_writes_them() -> None:
    assert parse_labels(b'app.kubernetes.io/name="shop"\nempty=""\n\nnonsense\n') == {
        "app.kubernetes.io/name": "shop",
        "empty": "",
    }
