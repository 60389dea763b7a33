"""`kubectl`, typed: objects in and out, conditions waited for, programs run in containers."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeVar

Document = Mapping[str, Any]
T = TypeVar("T")

COMMAND_SECONDS: Final = 150
WAIT_SECONDS: Final = 60
LOOK_SECONDS: Final = 0.2
"""Between two looks at what no `kubectl wait` can wait for."""


class KubectlError(AssertionError):
    """The program's own words."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """One cluster, as its administrator."""

    kubeconfig: Path
    program: str = "kubectl"

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What it prints; `KubectlError` when it fails."""
        done = self._done(arguments, stdin)
        if done.returncode != 0:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr}{done.stdout[-2000:]}")
        return done.stdout

    def refusal(self, *arguments: str, stdin: str = "") -> str:
        """Why it was refused; an assertion fails when it was not."""
        done = self._done(arguments, stdin)
        assert done.returncode != 0, f"kubectl {' '.join(arguments)} was not refused"
        return done.stderr

    def apply(self, *documents: Document) -> float:
        """Applies them in one call; the time (Unix) just before."""
        before = time.time()
        self.run("apply", "--validate=false", "-f", "-", stdin=_as_list(documents))
        return before

    def create(self, *documents: Document) -> None:
        self.run("create", "--validate=false", "-f", "-", stdin=_as_list(documents))

    def admitted(self, document: Document) -> Document:
        """What would become of a new object, all webhooks heard, without making it."""
        command = ("create", "--dry-run=server", "--validate=false", "-o", "json", "-f", "-")
        found: Document = json.loads(self.run(*command, stdin=json.dumps(document)))
        return found

    def refused(self, document: Document) -> str:
        """Why a new object is not admitted."""
        command = ("create", "--dry-run=server", "--validate=false", "-f", "-")
        return self.refusal(*command, stdin=json.dumps(document))

    def warnings(self, document: Document) -> str:
        """What people who make that object are warned of."""
        command = ("create", "--dry-run=server", "--validate=false", "-f", "-")
        return self._done(command, json.dumps(document)).stderr

    def get(self, kind: str, name: str, namespace: str = "") -> Document:
        found: Document = json.loads(self.run("get", kind, name, *_in(namespace), "-o", "json"))
        return found

    def there(self, kind: str, name: str, namespace: str = "") -> bool:
        found = self.run("get", kind, name, *_in(namespace), "--ignore-not-found", "-o", "name")
        return bool(found.strip())

    def list(self, kind: str, namespace: str, selector: str = "") -> Sequence[Document]:
        chosen = ("-l", selector) if selector else ()
        found = json.loads(self.run("get", kind, *_in(namespace), *chosen, "-o", "json"))
        items: Sequence[Document] = found["items"]
        return items

    def delete(self, kind: str, name: str, namespace: str = "", *options: str) -> None:
        self.run("delete", kind, name, *_in(namespace), "--ignore-not-found", *options)

    def wait(self, condition: str, what: str, namespace: str, seconds: int = WAIT_SECONDS) -> None:
        """As `kubectl wait --for=<condition>`."""
        self.run("wait", f"--for={condition}", what, *_in(namespace), f"--timeout={seconds}s")

    def rolled_out(self, what: str, namespace: str, seconds: int = 90) -> None:
        """All its replicas are new and ready."""
        self.run("rollout", "status", what, *_in(namespace), f"--timeout={seconds}s")

    def program_in(
        self, pod: str, namespace: str, *command: str, stdin: str = "", container: str = "app"
    ) -> str:
        """Runs a program in a container of a pod; what it prints."""
        where = ("exec", "-i", pod, *_in(namespace), "-c", container)
        return self.run(*where, "--", *command, stdin=stdin)

    def begin_in(self, pod: str, namespace: str, *command: str) -> "Begun":
        """The same, not waited for."""
        where = ("exec", pod, *_in(namespace), "-c", "app", "--")
        return Begun(
            subprocess.Popen(
                [self.program, *where, *command],
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )

    def logs(self, pod: str, namespace: str, container: str = "app") -> str:
        return self.run("logs", pod, *_in(namespace), "-c", container)

    def _done(self, arguments: Sequence[str], stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig)}


@dataclass(slots=True)
class Begun:
    """A program that runs in a container while the test goes on."""

    popen: subprocess.Popen[str]

    def line(self) -> Mapping[str, Any]:
        """Its next line of JSON."""
        line = self._output().readline()
        assert line.startswith("{"), f"{line}{self._output().read()}"
        found: Mapping[str, Any] = json.loads(line)
        return found

    def last_line(self) -> Mapping[str, Any]:
        """Waits for its end."""
        output, _ = self.popen.communicate(timeout=COMMAND_SECONDS)
        lines = [line for line in output.splitlines() if line.startswith("{")]
        assert lines, output
        found: Mapping[str, Any] = json.loads(lines[-1])
        return found

    def _output(self) -> IO[str]:
        assert self.popen.stdout is not None
        return self.popen.stdout


def eventually(check: Callable[[], T], seconds: float = WAIT_SECONDS) -> T:
    """What `check` gives once it is truthy; else its last assertion, or what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        failure: AssertionError | None = None
        found: T | None = None
        try:
            if found := check():
                return found
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            msg = f"not within {seconds} s: {check.__qualname__}: {failure or found!r}"
            raise AssertionError(msg) from failure
        time.sleep(LOOK_SECONDS)


def _in(namespace: str) -> tuple[str, ...]:
    return ("-n", namespace) if namespace else ()


def _as_list(documents: Sequence[Document]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)})
