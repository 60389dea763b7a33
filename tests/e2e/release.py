"""The chart, by the real Helm: installed, changed and taken away."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from tests.e2e.building import ROOT, Images, has_redis
from tests.e2e.kubectl import Kubectl
from tests.e2e.objects import MODELS, NAMESPACES, OURS

CHART: Final = ROOT / "charts" / "penstock"
NAME: Final = "penstock"
READY: Final = "120s"
FAKE_OLLAMA: Final = {"FAKE_PULL_SECONDS": "5", "FAKE_LOAD_SECONDS": "1"}
"""How fast the Ollama of ours is: see tests/fakes/ollama/script.py."""
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Release:
    """`penstock` in `penstock-system`."""

    kubectl: Kubectl
    helm: str
    images: Images

    def install(self, **changed: Values) -> None:
        """Installs or changes it, and waits until all of it is ready."""
        values = json.dumps({**self._values(), **changed})
        where = ("--namespace", OURS, "--create-namespace", "--wait", "--timeout", READY)
        self.run("upgrade", "--install", NAME, str(CHART), *where, "--values", "-", stdin=values)

    def remove_leftovers(self) -> None:
        """What a former run left, so that nothing of it is judged."""
        if self.kubectl.there("deployment", f"{NAME}-operator", OURS):
            self.uninstall()
        self.kubectl.run("delete", "namespace", "--ignore-not-found", *NAMESPACES)

    def uninstall(self) -> None:
        self.run("uninstall", NAME, "--namespace", OURS, "--wait", "--timeout", READY)

    @contextmanager
    def changed(self, **values: Values) -> Iterator[None]:
        """Other values for a while."""
        self.install(**values)
        try:
            yield
        finally:
            self.install()

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """No replica of a part for a while."""
        what = f"deployment/{NAME}-{part}"
        selector = f"app.kubernetes.io/component={part}"
        replicas = self.kubectl.get("deployment", f"{NAME}-{part}", OURS)["spec"]["replicas"]
        self._scale(what, 0)
        try:
            gone = ("wait", "--for=delete", "pod", "-l", selector, "-n", OURS, "--timeout=90s")
            self.kubectl.run(*gone)
            yield
        finally:
            self._scale(what, replicas)
            self.kubectl.rolled_out(what, OURS)

    def run(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [self.helm, *arguments],
            env={**os.environ, "KUBECONFIG": str(self.kubectl.kubeconfig)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def _scale(self, what: str, replicas: int) -> None:
        self.kubectl.run("scale", what, f"--replicas={replicas}", "-n", OURS)

    def _values(self) -> Values:
        return {
            "images": {
                "operator": _image(self.images.operator),
                "sidecar": _image(self.images.sidecar),
            },
            "providerNamespaces": [MODELS],
            "redis": self._redis(),
            "ollama": {"namespaces": [MODELS], "environment": FAKE_OLLAMA},
        }

    def _redis(self) -> Values:
        ours = {"image": _image(self.images.outside)} if has_redis() else {}
        return {"persistence": {"enabled": False}, **ours}


def helm_program() -> str:
    """On PATH, or beside the repository; an assertion says where to get it."""
    beside = ROOT.parent / "shared" / "tools" / "helm"
    found = shutil.which("helm") or (str(beside) if beside.exists() else "")
    assert found, "the end-to-end tests need Helm 3 or 4: https://helm.sh/docs/intro/install"
    return found


def _image(name: str) -> Values:
    repository, _, tag = name.rpartition(":")
    return {"repository": repository, "tag": tag}
