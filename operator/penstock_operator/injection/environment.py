"""What app containers are told so that their clients use the sidecar."""

from collections.abc import Iterator
from typing import Final

from penstock_operator.injection.pod import Container, Variable

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
PLACEHOLDER_KEY: Final = "penstock"
"""Clients refuse to start without a key; the sidecar puts the provider's own in its place."""
EXEMPTIONS: Final = ("NO_PROXY", "no_proxy")
OLLAMA_PORT: Final = 11_434


def missing_variables(container: Container, port: int) -> Iterator[Variable]:
    """Those that the container lacks. What it has stays, whatever its value or source."""
    there = {variable.name for variable in container.variables}
    for variable in (*_of_clients(container, port), *_exemptions(container)):
        if variable.name not in there:
            yield variable


def changed_variables(container: Container) -> Iterator[tuple[int, Variable]]:
    """NO_PROXY and no_proxy that name other hosts alone, by their index in `env`."""
    for index, variable in enumerate(container.variables):
        if variable.name in EXEMPTIONS and variable.value is not None:
            value = _with_loopback(variable.value)
            if value != variable.value:
                yield index, Variable(variable.name, value)


def _of_clients(container: Container, port: int) -> Iterator[Variable]:
    origin = f"http://localhost:{port}"
    yield Variable("OPENAI_BASE_URL", f"{origin}/v1")
    yield Variable("ANTHROPIC_BASE_URL", origin)
    if not _serves_ollama(container):
        yield Variable("OLLAMA_HOST", origin)
    yield Variable("OPENAI_API_KEY", PLACEHOLDER_KEY)
    yield Variable("ANTHROPIC_API_KEY", PLACEHOLDER_KEY)


def _serves_ollama(container: Container) -> bool:
    """To `ollama serve`, OLLAMA_HOST is where to listen."""
    image = container.image.rpartition("/")[2]
    name = image.partition("@")[0].partition(":")[0]
    return name == "ollama" or OLLAMA_PORT in container.ports


def _exemptions(container: Container) -> Iterator[Variable]:
    """Clients look at one spelling before the other, so both must say the same. Where the list is
    not to be seen here (`valueFrom`, `envFrom`), a new one would hide it."""
    known = [each for each in container.variables if each.name in EXEMPTIONS]
    if any(each.value is None for each in known):
        return
    if not known and container.reads_whole_sources:
        return
    value = _with_loopback(known[-1].value or "" if known else "")
    yield from (Variable(name, value) for name in EXEMPTIONS)


def _with_loopback(hosts: str) -> str:
    named = {host.strip() for host in hosts.split(",")}
    missing = [host for host in LOOPBACK if host not in named]
    if "*" in named or not missing:
        return hosts
    return ",".join([*filter(None, [hosts.rstrip(", ")]), *missing])
