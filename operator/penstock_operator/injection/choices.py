"""What a pod's annotations say of its sidecar, within bounds. What is wrong is told, not taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar, get_args

from penstock_operator.api.names import OVERRIDE_PREFIX
from penstock_operator.injection.pod import Pod
from penstock_operator.injection.quantity import Kind, amount
from penstock_operator.injection.template import are_fit
from penstock_operator.settings import Resources

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
PORT_BOUNDS: Final = (1024, 65_535)
"""No process without rights listens below."""
LEAVE_SECONDS: Final = 5
"""Of a pod's grace period, kept for ending after the drain."""
MAX_ECHO: Final = 40
T = TypeVar("T")
AMOUNTS: Final[Mapping[str, tuple[str, Kind, str, str]]] = {
    "cpu-request": ("requests", "cpu", "1m", "8"),
    "cpu-limit": ("limits", "cpu", "100m", "8"),
    "memory-request": ("requests", "memory", "32Mi", "8Gi"),
    "memory-limit": ("limits", "memory", "96Mi", "8Gi"),
}
"""By annotation: which of the resources, least and most. Below, a sidecar would not start."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the sidecar listens: for applications, probes, and the pod's own hooks."""

    application: int = 4141
    probe: int = 4142
    admin: int = 4143

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset((self.application, self.probe, self.admin))


@dataclass(frozen=True, slots=True)
class Choices:
    """One pod's sidecar; `warnings` say which annotations were not taken."""

    resources: Resources
    drain_seconds: int
    log_level: str
    ports: Ports
    warnings: tuple[str, ...] = ()


def choices_of(pod: Pod, defaults: Resources) -> Choices:
    """Each annotation that is right, and the default in place of each that is not."""
    reader = _Reader(pod.annotations)
    return Choices(
        resources=_resources(reader, defaults),
        drain_seconds=_drain_seconds(reader, pod.grace_seconds),
        log_level=reader.take("log-level", _log_level, ", ".join(LOG_LEVELS)) or "info",
        ports=_ports(reader),
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Annotations one by one, and what was wrong with them."""

    def __init__(self, annotations: Mapping[str, str]) -> None:
        self._annotations = annotations
        self.warnings: list[str] = []

    def take(self, name: str, parse: Callable[[str], T | None], expected: str) -> T | None:
        text = self._annotations.get(OVERRIDE_PREFIX + name)
        if text is None:
            return None
        found = parse(text.strip())
        if found is None:
            self.refuse(f"{name}={ascii(text)[:MAX_ECHO]}: expected {expected}")
        return found

    def refuse(self, what: str) -> None:
        self.warnings.append(f"Penstock takes its default for {OVERRIDE_PREFIX}{what}")


def _resources(reader: _Reader, defaults: Resources) -> Resources:
    wanted = {field: dict(defaults.get(field, {})) for field in ("requests", "limits")}
    for name, (field, kind, least, most) in AMOUNTS.items():
        parse = _within(kind, least, most)
        if found := reader.take(name, parse, f"{kind} from {least} to {most}, such as {least}"):
            wanted[field][kind] = found
    for kind in get_args(Kind):
        if not are_fit(wanted, kind):
            request, limit = (wanted[field].get(kind) for field in wanted)
            reader.refuse(f"{kind}-request and {kind}-limit: {request} is more than {limit}")
            for field, amounts in wanted.items():
                _put_back(amounts, kind, defaults.get(field, {}))
    return {field: amounts for field, amounts in wanted.items() if amounts}


def _put_back(amounts: dict[str, str], kind: Kind, defaults: Mapping[str, str]) -> None:
    amounts.pop(kind, None)
    amounts |= {kind: defaults[kind]} if kind in defaults else {}


def _within(kind: Kind, least: str, most: str) -> Callable[[str], str | None]:
    bottom, top = (amount(kind, text) or Decimal(0) for text in (least, most))

    def parse(text: str) -> str | None:
        found = amount(kind, text)
        return text if found is not None and bottom <= found <= top else None

    return parse


def _drain_seconds(reader: _Reader, grace_seconds: int) -> int:
    """As long as the pod may take, less what ending takes."""
    most = max(1, grace_seconds - LEAVE_SECONDS)
    expected = f"1 to {most}, {LEAVE_SECONDS} less than terminationGracePeriodSeconds"
    return reader.take("drain-seconds", _whole(1, most), expected) or most


def _ports(reader: _Reader) -> Ports:
    default, bounds = Ports(), _whole(*PORT_BOUNDS)
    expected = "a port from {} to {}".format(*PORT_BOUNDS)
    ports = Ports(
        application=reader.take("port", bounds, expected) or default.application,
        probe=reader.take("probe-port", bounds, expected) or default.probe,
        admin=reader.take("admin-port", bounds, expected) or default.admin,
    )
    if len(ports.numbers) == len(default.numbers):
        return ports
    reader.refuse("port, probe-port and admin-port: two of them are the same")
    return default


def _whole(least: int, most: int) -> Callable[[str], int | None]:
    def parse(text: str) -> int | None:
        few_digits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
        return int(text) if few_digits and least <= int(text) <= most else None

    return parse


def _log_level(text: str) -> str | None:
    return text if text in LOG_LEVELS else None
