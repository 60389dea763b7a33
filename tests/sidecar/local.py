"""Settings of a whole sidecar that runs in a test's own loop."""

from pathlib import Path
from typing import Any

from penstock_sidecar.settings import Settings


def settings_in(folder: Path, namespace: str, /, **more: Any) -> Settings:
    """On any free ports; all that it reads is in the folder. `more` wins."""
    said: dict[str, Any] = {
        "config_dir": folder,
        "credentials_dir": folder,
        "pod_info_dir": folder,
        "namespace": namespace,
        "pod_name": "shop-1",
        "app": "shop",
        "port": 0,
        "probe_host": "127.0.0.1",
        "probe_port": 0,
        "admin_port": 0,
        "drain_seconds": 1,
    }
    return Settings(**said | more)
