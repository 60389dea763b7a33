"""What stands in the cluster while the tests run: a provider, two teams, their applications."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.e2e import objects
from tests.e2e.building import Images
from tests.e2e.figures import Figures
from tests.e2e.images.provider import LONG, SHORT, fingerprint
from tests.e2e.kubectl import Document, Kubectl, eventually
from tests.e2e.objects import MODELS, TEAM_A, TEAM_B
from tests.e2e.places import Place
from tests.e2e.release import Release

APP: Final = "app=app"
REPLICAS: Final = 3
FIRST, SECOND, THIRD = (f"200 This is {name} speaking." for name in SHORT)
SEEN: Final = (
    "import urllib.request as u; print(u.urlopen('http://localhost:8081/seen').read().decode())"
)
Line = Mapping[str, Any]


def new_key() -> str:
    """A provider's key."""
    return f"sk-e2e-{secrets.token_hex(16)}"


@dataclass(slots=True)
class Stage:
    """All that a test needs. `keys`: the provider's keys by name of their Secret."""

    place: Place
    images: Images
    kubectl: Kubectl
    release: Release
    figures: Figures
    keys: dict[str, str] = field(default_factory=lambda: {"keys": new_key(), "others": new_key()})

    def set_up(self) -> None:
        kubectl, images = self.kubectl, self.images
        kubectl.apply(*map(objects.team, (TEAM_A, TEAM_B)))
        kubectl.apply(
            objects.provider_service(),
            objects.deployment(images, MODELS, "provider", "provider.py"),
            *self.resources(),
        )
        kubectl.rolled_out("deployment/provider", MODELS)
        watch = ("app.py", "watch", "auto")
        kubectl.apply(
            objects.deployment(images, TEAM_A, "app", *watch, replicas=REPLICAS),
            objects.deployment(images, TEAM_B, "app", *watch),
        )
        for team in (TEAM_A, TEAM_B):
            kubectl.rolled_out("deployment/app", team)
            self.all_say(FIRST, team)

    def resources(self) -> Sequence[Document]:
        """The platform's and both teams', as they are between tests."""
        return (
            objects.secret("keys", self.keys["keys"]),
            objects.provider("stub", "keys", *LONG, *SHORT),
            *(objects.tier(name, "stub", name) for name in (*LONG, "first", "second")),
            *(objects.policy(team, "app", "first") for team in (TEAM_A, TEAM_B)),
        )

    def pods(self, namespace: str, selector: str = APP) -> Sequence[Document]:
        """Those that are not about to go."""
        found = self.kubectl.list("pods", namespace, selector)
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def pod_names(self, namespace: str, selector: str = APP) -> Sequence[str]:
        return [pod["metadata"]["name"] for pod in self.pods(namespace, selector)]

    def lines(self, namespace: str, pod: str, since: float = 0) -> Sequence[Line]:
        """What an application said, from that time on."""
        log = self.kubectl.logs(pod, namespace)
        said = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        return [line for line in said if line["at"] >= since]

    def all_say(self, outcome: str, namespace: str = TEAM_A, seconds: float = 60) -> float:
        """Waits until every application gets that answer; when the last one first did (Unix)."""

        def check() -> float:
            times: list[float] = []
            for pod in self.pod_names(namespace):
                said = self.lines(namespace, pod)
                assert said, f"{pod} has not said anything"
                assert said[-1]["outcome"] == outcome, said[-1]
                times.append(said[-1]["at"])
            assert times, f"no pod in {namespace}"
            return max(times)

        return eventually(check, seconds)

    def at_work(self, namespace: str, policy: str, sidecars: int) -> None:
        """Waits until the policy's status says that so many sidecars, and no others, go by it."""
        expected = {"total": sidecars, "current": sidecars, "stale": 0, "rejected": 0}

        def check() -> bool:
            found = self.kubectl.get("routepolicy", policy, namespace)
            status = found.get("status", {})
            assert status.get("observedGeneration") == found["metadata"]["generation"], status
            assert status.get("sidecars") == expected, status
            return True

        eventually(check)

    def nothing_failed(self, namespace: str, since: float) -> None:
        """Every request of every application was answered since that time."""
        for pod in self.pod_names(namespace):
            bad = [line for line in self.lines(namespace, pod, since) if _failed(line)]
            assert bad == [], f"{pod}: {bad}"

    def seen(self) -> Sequence[Line]:
        """What the provider was asked, oldest first."""
        (pod,) = self.pod_names(MODELS, "app=provider")
        found: Sequence[Line] = json.loads(
            self.kubectl.program_in(pod, MODELS, "python", "-c", SEEN)
        )
        return found

    def key_arrives(self, key: str, namespace: str, seconds: float) -> float:
        """Waits until each application's requests bear that key; when the last one's first did."""
        wanted = fingerprint(key)

        def check() -> float:
            addresses = {pod["status"]["podIP"] for pod in self.pods(namespace)}
            first: dict[str, float] = {}
            for each in self.seen():
                if each["key"] == wanted and each["peer"] in addresses:
                    first.setdefault(each["peer"], each["at"])
            assert addresses == set(first), f"not yet from {addresses - set(first)}"
            return max(first.values())

        return eventually(check, seconds)


def container_of(pod: Document, name: str) -> Document:
    (found,) = [each for each in pod["spec"]["containers"] if each["name"] == name]
    container: Document = found
    return container


def container_status(pod: Document, name: str) -> Document:
    (found,) = [each for each in pod["status"]["containerStatuses"] if each["name"] == name]
    status: Document = found
    return status


def names(pod: Document) -> list[str]:
    """Of its containers."""
    return sorted(container["name"] for container in pod["spec"]["containers"])


def made_at(document: Document) -> float:
    """When an object was made (Unix, whole seconds)."""
    return datetime.fromisoformat(document["metadata"]["creationTimestamp"]).timestamp()


def _failed(line: Line) -> bool:
    return not str(line.get("outcome", "200 ")).startswith(("200 ", "stopped"))
