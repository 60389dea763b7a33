"""How many replicas a managed provider is to have: by what sidecars ask of it, and since when.

Up at once, down slowly: as many go as were not needed at any moment of `cooldown_seconds`. The
last one goes after `scale_to_zero_after_seconds` without any request, and comes back with the
first. Times are seconds of any clock that runs evenly.
"""

from dataclasses import dataclass, replace

from penstock_operator.api.ollama import Autoscaling, Ollama


@dataclass(frozen=True, slots=True)
class Load:
    """What all sidecars together ask of a provider."""

    in_flight: int = 0
    waiting: int = 0

    @property
    def requests(self) -> int:
        return self.in_flight + self.waiting


@dataclass(frozen=True, slots=True)
class Scale:
    """How many replicas are wanted, and what must be remembered to decide so again."""

    replicas: int
    busy_at: float
    """When a request was last there, or might have been."""
    fewer_since: float | None = None
    """Since when fewer would have been enough without a break; `None`: they would not."""
    most_needed: int = 0
    """Of that time, the most that were needed at once."""


def first_scale(ollama: Ollama, running: int | None, busy_at: float) -> Scale:
    """What a new leader goes on from. `running`: replicas that it found, `None` of a new provider;
    `busy_at` as its forerunner wrote it, or the present."""
    if ollama.autoscaling is None:
        return Scale(_fixed(ollama), busy_at)
    scale = ollama.autoscaling
    return Scale(_within(scale, scale.min if running is None else running), busy_at)


def next_scale(
    ollama: Ollama, scale: Scale, load: Load | None, now: float, *, starting: bool = False
) -> Scale:
    """`load` of `None`: unknown, as without Redis; then nothing is taken away, nor given.

    `starting`: no replica is ready yet, and one is on its way. That is no idleness: who asked for
    it may have gone, and it would never get ready if it left again at once.
    """
    by = ollama.autoscaling
    busy = load is None or load.requests > 0 or starting
    busy_at = now if busy else min(scale.busy_at, now)
    if by is None:
        return Scale(_fixed(ollama), busy_at)
    if load is None:
        return Scale(_within(by, scale.replicas), busy_at)
    needed = _needed(by, load, replicas=scale.replicas, idle_seconds=now - busy_at)
    at_once = needed == 0 or by.cooldown_seconds == 0  # idleness has a longer time of its own
    if needed >= scale.replicas or at_once:
        return Scale(needed, busy_at)
    return _fewer(by, replace(scale, busy_at=busy_at), needed, now)


def _fewer(by: Autoscaling, scale: Scale, needed: int, now: float) -> Scale:
    """Fewer would do: some go once that was so for long enough. Bounds that somebody edits hold at
    once."""
    since = now if scale.fewer_since is None else scale.fewer_since
    most = needed if scale.fewer_since is None else max(scale.most_needed, needed)
    if now - since < by.cooldown_seconds:
        replicas = _within(by, scale.replicas)
        return replace(scale, replicas=replicas, fewer_since=since, most_needed=most)
    return Scale(min(scale.replicas, _within(by, most)), scale.busy_at)


def _needed(by: Autoscaling, load: Load, *, replicas: int, idle_seconds: float) -> int:
    """Within the bounds; what is there is not given up for a moment without requests."""
    if load.requests:
        return _within(by, max(1, -(-load.requests // by.target_in_flight_per_replica)))
    limit = by.scale_to_zero_after_seconds
    may_go = replicas == 0 or (limit is not None and idle_seconds >= limit)
    return by.min if may_go else _within(by, 1)


def _within(by: Autoscaling, replicas: int) -> int:
    return min(max(replicas, by.min), by.max)


def _fixed(ollama: Ollama) -> int:
    return 1 if ollama.replicas is None else ollama.replicas
