"""What the conditions of a managed provider say: Scheduled, ModelsReady, FullyOnGPU."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from penstock_operator.fleet.facts import Facts, Fault, ModelFacts
from penstock_operator.fleet.replicas import doing
from penstock_operator.ollama.progress import State
from penstock_operator.status import FleetReason

Verdict = tuple[Literal["True", "False", "Unknown"], FleetReason, str]
SUSPENDED: Final = "It is suspended: set spec.suspended to false to have it run."
ZERO: Final = "No replica is wanted: the first request brings one."
NONE: Final = "No replica is wanted: set spec.ollama.replicas, or autoscaling."
ALL_ON_GPU: Final = 100
SHOWN_NODES: Final = 8
UNDER_WAY: Final[Mapping[State, FleetReason]] = {
    "Loading": "Loading",
    "Creating": "Creating",
    "Pulling": "Pulling",
    "Waiting": "Starting",
}


def scheduling(facts: Facts) -> Verdict:
    """Whether every replica that is wanted has a place."""
    if (hindrance := facts.fault or _hindrance(facts)) is not None:
        return "False", *hindrance
    if facts.wanted == 0:
        return "True", "NothingWanted", _nothing(facts)
    nodes = sorted({group.node for group in facts.placed if group.node and group.replicas})
    where = f"on {', '.join(nodes[:SHOWN_NODES])}" if nodes else "on CPU, where the scheduler likes"
    pods = sum(group.replicas for group in facts.placed)
    return "True", "Placed", f"{pods} pods for {facts.wanted} replicas, {where}."


def _hindrance(facts: Facts) -> Fault | None:
    """What the planner could not do, or the scheduler would not."""
    if facts.unknown:
        return "MemoryUnknown", _unknown(facts)
    if facts.wanted and facts.unplaced:
        first = max(facts.unplaced, key=lambda each: each.replicas)
        count = sum(each.replicas for each in facts.unplaced)
        which = f"{count} of {facts.wanted} replicas: " if facts.wanted > 1 else ""
        return first.reason, which + first.message
    placed = {group.name for group in facts.placed if group.replicas}
    for told in facts.pods:
        if told.pod.unschedulable and told.pod.group in placed and not told.pod.leaving:
            return "Unschedulable", _unschedulable(told.pod.name, told.pod.unschedulable)
    return None


def loading(facts: Facts, models: Sequence[ModelFacts]) -> Verdict:
    """Whether each model is served by some replica."""
    if facts.wanted == 0:
        return "False", "NoReplica", _nothing(facts)
    missing = [model for model in models if not model.ready]
    if not missing:
        ready = min(model.ready for model in models)
        return "True", "Serving", f"{min(ready, facts.wanted)} of {facts.wanted} replicas serve."
    for model in missing:
        if model.state == "Failed":
            return "False", _failure(facts, model.name), f"{model.name}: {model.message}"
    for told in facts.pods:
        if told.pod.fault and not told.pod.leaving:
            return "False", "PodFailing", f"{told.pod.name}: {told.pod.fault}"
    return _under_way(facts, missing)


def on_gpu(facts: Facts, models: Sequence[ModelFacts]) -> Verdict | None:
    """Whether what is loaded lies wholly in GPU memory; `None`: it is to run on CPU."""
    if facts.ollama.gpu is None:
        return None
    partly = [m for m in models if m.on_gpu_percent is not None and m.on_gpu_percent < ALL_ON_GPU]
    on_cpu = [group for group in facts.placed if group.replicas and not group.resources]
    if on_cpu:
        names = ", ".join(sorted({model for group in on_cpu for model in group.models}))
        return "False", "OnCpu", f"{names}: no GPU has room, and cpuFallback is true."
    if partly:
        shown = "; ".join(f"{m.name}: {m.on_gpu_percent} % of {m.size_mib} MiB" for m in partly)
        text = f"{shown} in GPU memory, the rest on CPU: lower contextLength or parallel, or set"
        return "False", "PartlyOnCpu", f"{text} sizeMiB if the estimate was too small."
    if any(model.loaded for model in models):
        return "True", "OnGpu", "All that is loaded lies wholly in GPU memory."
    return "Unknown", "NothingLoaded", "No model is loaded now."


def _under_way(facts: Facts, missing: Sequence[ModelFacts]) -> Verdict:
    text = doing([told for told in facts.pods if not told.pod.leaving])
    for state, reason in UNDER_WAY.items():
        if state != "Waiting" and any(model.state == state for model in missing):
            return "False", reason, _sentence(text)
    if facts.unplaced and not facts.pods:
        text = text or "its replicas have no place, see Scheduled"
    return "False", "Starting", _sentence(text or "its pods are starting")


def _failure(facts: Facts, name: str) -> FleetReason:
    source = next((each.source for each in facts.ollama.models if each.name == name), "pull")
    return "PullFailed" if source == "pull" else "CreateFailed"


def _nothing(facts: Facts) -> str:
    if facts.suspended:
        return SUSPENDED
    return ZERO if facts.ollama.autoscaling else NONE


def _unknown(facts: Facts) -> str:
    first, why = next(iter(facts.unknown.items()))
    more = len(facts.unknown) - 1
    return f"{first} {why}" + (f" (and {more} more)" if more else "")


def _unschedulable(pod: str, words: str) -> str:
    return f"The scheduler has no node for pod {pod}: {words}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith(".") else ".")
