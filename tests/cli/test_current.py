"""Which configuration is in effect while files change."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from penstock_cli.config_files import ConfigFiles
from penstock_cli.current import Current
from penstock_cli.failure import WrongUsage
from penstock_cli.standin import StandIn
from penstock_config.codec import decode_config, decode_credentials
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig
from penstock_operator.compile.snapshot import EmbedderSettings, RedisSettings
from tests.cli.resources import POLICY, write


class Desk:
    """Files on one side, what a sidecar would read on the other."""

    def __init__(
        self, folder: Path, *, secret: str | None = None, embedder: EmbedderSettings | None = None
    ) -> None:
        self.source = folder / "in"
        self.source.mkdir()
        write(self.source) if secret is None else write(self.source, secret=secret)
        self._files = ConfigFiles(folder / "out")
        self._said = io.StringIO()
        self.current = Current(
            (str(self.source),),
            StandIn(),
            RedisSettings("redis://127.0.0.1:1/0"),
            embedder,
            self._files,
            Console(file=self._said, width=200),
        )

    @property
    def config(self) -> SidecarConfig:
        return decode_config((self._files.config_dir / "config.v2.json").read_bytes())

    @property
    def credentials(self) -> Credentials:
        return decode_credentials(
            (self._files.credentials_dir / "credentials.v2.json").read_bytes()
        )

    @property
    def labels(self) -> str:
        return (self._files.pod_info_dir / "labels").read_text()

    @property
    def limit(self) -> int | None:
        return self.config.policies[0].limits[0].limits.requests_per_minute

    @property
    def said(self) -> str:
        return self._said.getvalue()

    def save(self, name: str, text: str) -> None:
        (self.source / name).write_text(text)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_good_change_is_taken(desk: Desk) -> None:
    desk.current.begin()
    assert desk.limit == 5
    desk.save("policy.yaml", POLICY.replace("requestsPerMinute: 5", "requestsPerMinute: 9"))
    assert desk.current.renew()
    assert desk.limit == 9


def test_the_pod_follows_a_selector_that_changes(desk: Desk) -> None:
    desk.current.begin()
    assert desk.labels == 'app="web"\n'
    desk.save("policy.yaml", POLICY.replace("app: web", "app: shop"))
    assert desk.current.renew()
    assert desk.labels == 'app="shop"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("spec: [", "InvalidYaml"),
        (POLICY.replace("name: fast", "name: gone"), "RefNotFound"),
        (POLICY.replace("per: User", "per: Nobody"), "InvalidSpec"),
        ("kind: Other", "no RoutePolicy in effect"),
    ],
)
def test_a_bad_change_is_told_and_the_last_good_one_stays(desk: Desk, text: str, what: str) -> None:
    desk.current.begin()
    before = desk.config
    desk.save("policy.yaml", text)
    assert not desk.current.renew()
    assert desk.config == before
    assert what in desk.said
    assert "the last good one stays" in desk.said


def test_files_that_vanish_leave_the_last_good_one(desk: Desk) -> None:
    desk.current.begin()
    for file in desk.source.iterdir():
        file.unlink()
    assert not desk.current.renew()
    assert desk.limit == 5


def test_mended_files_are_taken_again(desk: Desk) -> None:
    desk.current.begin()
    desk.save("policy.yaml", "spec: [")
    assert not desk.current.renew()
    desk.save("policy.yaml", POLICY)
    assert desk.current.renew()


def test_an_error_that_was_there_at_the_start_stops_no_change(tmp_path: Path) -> None:
    """A laptop with the key of one provider out of three is the usual case."""
    desk = Desk(tmp_path, secret="")
    desk.current.begin()
    assert "SecretNotFound" in desk.said
    desk.save("policy.yaml", "\n\n" + POLICY.replace("Minute: 5", "Minute: 9"))
    assert desk.current.renew()
    assert desk.limit == 9


def test_nothing_begins_without_a_policy(desk: Desk) -> None:
    desk.save("policy.yaml", "kind: Other")
    with pytest.raises(WrongUsage):
        desk.current.begin()


def test_sidecars_are_told_of_the_embedder_that_runs(tmp_path: Path) -> None:
    desk = Desk(tmp_path, embedder=EmbedderSettings("http://127.0.0.1:4144", "hush"))
    desk.save("policy.yaml", POLICY + "  cache: {semantic: {}}\n")
    desk.current.begin()
    assert desk.credentials.embedder
    assert desk.credentials.embedder.url == "http://127.0.0.1:4144"
    assert "warning" not in desk.said


def test_where_none_runs_a_policy_that_wants_one_is_a_warning(desk: Desk) -> None:
    desk.save("policy.yaml", POLICY + "  cache: {semantic: {}}\n")
    desk.current.begin()
    assert desk.credentials.embedder is None
    assert "1 warning" in desk.said


def test_it_says_that_nobody_queues_prompts_here(desk: Desk) -> None:
    desk.current.begin()
    assert "cache.warm" not in desk.said
    warm = "{configMapRef: {name: penstock-warming, key: p}, schedule: 0 6 * * *}"
    desk.save("policy.yaml", POLICY + f"  cache: {{exact: {{}}, warm: {warm}}}\n")
    desk.current.begin()
    assert "cache.warm" in desk.said
