"""A mounted ConfigMap or Secret, as a kubelet keeps it."""

from pathlib import Path


class Volume:
    """A kubelet's volume: files are links through `..data`, which is swapped in one rename."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._generation = 0
        path.mkdir()

    def publish(self, **files: bytes) -> None:
        """`config_v2_json=b"..."` is the file `config.v2.json`; those not given are gone."""
        self._generation += 1
        target = self.path / f"..generation{self._generation}"
        target.mkdir()
        names = {name.replace("_", "."): data for name, data in files.items()}
        for name, data in names.items():
            (target / name).write_bytes(data)
        new = self.path / "..data_tmp"
        new.symlink_to(target.name)
        new.rename(self.path / "..data")
        for link in self.path.glob("[!.]*"):
            if link.name not in names:
                link.unlink()
        for name in names:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"..data/{name}")
