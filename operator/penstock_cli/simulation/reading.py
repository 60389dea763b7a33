"""From a file to a simulation, or to what is wrong with it and where."""

from collections.abc import Iterator

from pydantic import ValidationError

from penstock_cli.documents import Document, load
from penstock_cli.finding import Finding
from penstock_cli.simulation.cost import listed_as
from penstock_cli.simulation.scenario import API_VERSION, KIND, GpuSimulation, Specification
from penstock_operator.catalogue.prices import shipped


def read_simulation(path: str) -> GpuSimulation | tuple[Finding, ...]:
    """The only one in the file."""
    loaded = load((path,))
    found = [document for document in loaded.documents if document.value.get("kind") == KIND]
    if loaded.findings:
        return loaded.findings
    if len(found) != 1:
        message = f"{path} has {len(found)} documents of kind {KIND}; one is simulated at a time"
        return (Finding("error", "NoSimulation", message),)
    return _read(found[0])


def _read(document: Document) -> GpuSimulation | tuple[Finding, ...]:
    try:
        simulation = GpuSimulation.model_validate(document.value)
    except ValidationError as error:
        return tuple(_findings(document, error))
    return tuple(_unfit(document, simulation)) or simulation


def _findings(document: Document, error: ValidationError) -> Iterator[Finding]:
    for each in error.errors(include_url=False, include_input=False):
        path = _path(each["loc"])
        yield _finding(document, "InvalidField", _said(path, each["type"], each["msg"]), path)


def _unfit(document: Document, simulation: GpuSimulation) -> Iterator[Finding]:
    """What fields say of one another."""
    spec = simulation.spec
    known = {model.name for model in spec.models}
    for s, stream in enumerate(spec.traffic.streams):
        for m, model in enumerate(stream.models):
            if model.name not in known:
                said = f"no provider has {model.name}: add it to one, or take it out here"
                path = f"spec.traffic.streams[{s}].models[{m}].name"
                yield _finding(document, "UnknownModel", said, path)
        if stream.members.most > len(stream.models):
            said = f"{stream.members.most} different models are to be asked of {len(stream.models)}"
            yield _finding(document, "TooManyMembers", said, f"spec.traffic.streams[{s}].members")
    if not any(spec.traffic.shape):
        said = "all parts of the shape are 0: nothing would ever come"
        yield _finding(document, "NoTraffic", said, "spec.traffic.shape")
    yield from _unpriced(document, spec)


def _unpriced(document: Document, spec: Specification) -> Iterator[Finding]:
    prices = shipped()
    for p, provider in enumerate(spec.providers):
        for m, model in enumerate(provider.models):
            if model.cloud and listed_as(model.cloud, prices) is None:
                said = f"{model.cloud} is not in the price list: see `penstock prices list`"
                path = f"spec.providers[{p}].models[{m}].cloud"
                yield _finding(document, "UnknownPrice", said, path)


def _finding(document: Document, reason: str, message: str, path: str) -> Finding:
    return Finding("error", reason, message, document.locate(path), KIND, path)


def _said(path: str, kind: str, message: str) -> str:
    if path == "apiVersion":
        return f"must be {API_VERSION}"
    if kind == "extra_forbidden":
        return "there is no such field; docs/gpu-simulation.md lists them"
    if kind == "missing":
        return "must be set"
    return message.removeprefix("Value error, ")


def _path(location: tuple[int | str, ...]) -> str:
    """As in other findings: `spec.nodes[0].name`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.removeprefix(".")
