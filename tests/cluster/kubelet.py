"""What a kubelet does for a sidecar: a ConfigMap and a Secret as files in its folder."""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from penstock_operator.cluster import Cluster
from tests.cluster.objects import config_map, credentials_secret


@dataclass
class Kubelet:
    """`addresses` stand in for the cluster's DNS: names of Services to where they are served."""

    cluster: Cluster
    namespace: str
    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)

    async def sync(self) -> bool:
        """As it finds them now; `NotFound` while one is missing."""
        config = (await config_map(self.cluster, self.namespace))["data"]
        secret = (await credentials_secret(self.cluster, self.namespace))["data"]
        for name, text in secret.items():
            self._write(name, base64.b64decode(text))
        for name, text in config.items():
            for host, address in self.addresses.items():
                text = text.replace(host, address)  # noqa: PLW2901  # name by name
            self._write(name, text.encode())
        return True

    def label(self, **labels: str) -> None:
        """The pod's labels, as the downward API writes them."""
        lines = "".join(f'{name}="{value}"\n' for name, value in labels.items())
        self._write("labels", lines.encode())

    def _write(self, name: str, data: bytes) -> None:
        """Whole or not at all, and only what is new."""
        path, fresh = self.folder / name, self.folder / f".{name}.new"
        if path.exists() and path.read_bytes() == data:
            return
        fresh.write_bytes(data)
        fresh.replace(path)
