"""The version before: its packages, unpacked, and scripts that run in them."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ARCHIVE: Final = Path(__file__).parent / "penstock-0.1.0.tar.xz"
VERSION: Final = "0.1.0"
_DECODE: Final = """
from penstock_config.codec import ConfigError, decode_config, encode
def judged(text):
    try:
        return encode(decode_config(text.encode())).decode()
    except ConfigError as error:
        return "refused: " + str(error)
json.dump([judged(text) for text in json.load(sys.stdin)], sys.stdout)
"""
_SCHEMA: Final = """
from penstock_config.schema import SidecarConfig
json.dump(SidecarConfig.model_json_schema(), sys.stdout)
"""
_COMPILE: Final = """
from penstock_config.codec import credentials_file_name, config_file_name, encode
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_operator.compile.snapshot import RedisSettings
from dataclasses import replace
def published(documents, redis_url):
    redis = RedisSettings(url=redis_url)
    gathered = snapshot_of(
        documents, cluster="test", loopback_allowed=True, redis=redis, scope_keys={}
    )
    keys = dict.fromkeys(gathered.namespaces, "scope")
    compiled = compile_snapshot(replace(gathered, scope_keys=keys))
    return {
        name: {
            config_file_name(): encode(config).decode(),
            credentials_file_name(): encode(compiled.credentials[name]).decode(),
        }
        for name, config in compiled.configs.items()
    }
order = json.load(sys.stdin)
json.dump([published(each, order["redis"]) for each in order["all"]], sys.stdout)
"""


Published = Mapping[str, Mapping[str, str]]
"""Files by namespace and name."""


def unpack(folder: Path) -> Path:
    """A folder for PYTHONPATH, in front of the installed packages."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Frozen:
    """The packages in `code`, asked by scripts in processes of their own."""

    def __init__(self, code: Path) -> None:
        self.code = code

    def read(self, files: list[str]) -> list[str]:
        """Each configuration as it writes it itself, or `refused: <why>`."""
        found = self._run(_DECODE, files)
        assert isinstance(found, list)
        return found

    def schema(self) -> dict[str, Any]:
        """JSON Schema of the configuration."""
        found = self._run(_SCHEMA, None)
        assert isinstance(found, dict)
        return found

    def compile(self, all_documents: list[list[Any]], redis_url: str) -> list[Published]:
        """Of each list of documents what its operator publishes."""
        found = self._run(_COMPILE, {"all": all_documents, "redis": redis_url})
        assert isinstance(found, list)
        return found

    def _run(self, script: str, given: object) -> object:
        ended = subprocess.run(
            [sys.executable, "-P", "-c", f"import json, sys\n{script}"],
            input=json.dumps(given, default=str).encode(),
            env={**os.environ, "PYTHONPATH": str(self.code)},
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(ended.stdout)
