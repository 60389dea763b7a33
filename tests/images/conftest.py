"""Programs that stand in for docker, kind and the like, and write down how they were called."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALWAYS_THERE = ("bash", "cat", "dirname", "env", "git", "grep", "sed")
SCRIPT = """#!{shell}
echo "{name} $*" >> '{calls}'
case "$*" in
{cases}
esac
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """All that scripts find on their PATH: shell basics, and what `add` put there."""

    folder: Path
    calls_file: Path

    def add(self, name: str, answers: Mapping[str, tuple[str, int]] | None = None) -> None:
        """`answers`: what is printed and the exit status, by how the arguments begin."""
        cases = (
            f"'{start}'*) printf '%s\\n' '{text}'; exit {code};;"
            for start, (text, code) in (answers or {}).items()
        )
        script = SCRIPT.format(
            shell=shutil.which("bash"), name=name, calls=self.calls_file, cases="\n".join(cases)
        )
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def run(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """One of `.ci/`, with these programs alone."""
        return subprocess.run(
            [ROOT / ".ci" / script],
            env={"PATH": str(self.folder), "HOME": str(self.folder), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """Each call's program and arguments, in order."""
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ALWAYS_THERE:
        found = shutil.which(name, path=os.defpath)
        assert found is not None, f"this machine has no {name}"
        (folder / name).symlink_to(found)
    return Programs(folder, tmp_path / "calls")
