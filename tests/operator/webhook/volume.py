"""A Secret of type kubernetes.io/tls, mounted by a kubelet."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from penstock_operator.webhook.certificates import Pair, make_ca, make_leaf


class Volume:
    """As a kubelet's: files are links through `..data`, which is moved in one step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0
        self.ca = make_ca(datetime.now(UTC))

    def write(self, certificate: bytes, key: bytes) -> None:
        self._number += 1
        fresh = self.folder / f"..{self._number}"
        fresh.mkdir()
        (fresh / "tls.crt").write_bytes(certificate)
        (fresh / "tls.key").write_bytes(key)
        link = self.folder / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(self.folder / "..data")
        for name in ("tls.crt", "tls.key"):
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")

    def renew(self, life: timedelta = timedelta(days=1)) -> Pair:
        """Another leaf of the same CA."""
        leaf = make_leaf(self.ca, ("127.0.0.1",), datetime.now(UTC), life)
        self.write(leaf.certificate + self.ca.certificate, leaf.key)
        return leaf
