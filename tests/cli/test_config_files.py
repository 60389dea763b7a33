"""What is written for a sidecar, and who may read it."""

from pathlib import Path

from penstock_cli.config_files import ConfigFiles
from penstock_cli.secret_sources import taken_for_granted
from penstock_cli.workspace import compile_files
from penstock_config.codec import decode_config, decode_credentials
from tests.cli.resources import write


def _written(folder: Path) -> ConfigFiles:
    (folder / "in").mkdir()
    compiled = compile_files((str(write(folder / "in")),), taken_for_granted).compiled
    files = ConfigFiles(folder / "out")
    files.write(compiled.configs["shop"], compiled.credentials["shop"])
    return files


def test_a_sidecar_can_read_what_was_written(tmp_path: Path) -> None:
    files = _written(tmp_path)
    config = decode_config((files.config_dir / "config.v2.json").read_bytes())
    credentials = decode_credentials((files.credentials_dir / "credentials.v2.json").read_bytes())
    assert config.namespace == "shop"
    assert list(credentials.provider_keys) == ["shop/mill"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    files = _written(tmp_path)
    files.write_labels({"app": "web"})
    for folder in (files.config_dir, files.credentials_dir, files.pod_info_dir):
        assert folder.stat().st_mode & 0o777 == 0o700
        assert [f.stat().st_mode & 0o777 for f in folder.iterdir()] == [0o600]


def test_labels_have_the_downward_api_form(tmp_path: Path) -> None:
    files = ConfigFiles(tmp_path)
    files.write_labels({"b": 'say "hi"', "a": "1"})
    assert (files.pod_info_dir / "labels").read_text() == 'a="1"\nb="say \\"hi\\""\n'
