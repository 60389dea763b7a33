"""The files a sidecar reads, written the way a kubelet would: whole or not at all, and private."""

import os
from collections.abc import Mapping
from pathlib import Path

from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig


class ConfigFiles:
    """Three folders under `root`, readable by this user alone."""

    def __init__(self, root: Path) -> None:
        self.config_dir = root / "config"
        self.credentials_dir = root / "credentials"
        self.pod_info_dir = root / "pod"
        for folder in (self.config_dir, self.credentials_dir, self.pod_info_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, config: SidecarConfig, credentials: Credentials) -> None:
        """Credentials first: a configuration never names a provider whose key is not there yet."""
        _replace(self.credentials_dir / credentials_file_name(), encode(credentials))
        _replace(self.config_dir / config_file_name(), encode(config))

    def write_labels(self, labels: Mapping[str, str]) -> None:
        """In the downward API's form: one `key="value"` a line."""
        lines = [f'{key}="{_escaped(value)}"\n' for key, value in sorted(labels.items())]
        _replace(self.pod_info_dir / "labels", "".join(lines).encode())


def _replace(file: Path, data: bytes) -> None:
    part = file.with_name(f".{file.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    part.replace(file)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
