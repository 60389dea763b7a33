"""YAML files to documents that remember where they were written.

Knows nothing of Kubernetes beyond `kind: List`. A file that cannot be read as YAML is a finding,
not an exception: the other files are still read.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from penstock_cli.failure import NothingToRead
from penstock_cli.finding import Finding, Place
from penstock_cli.yaml_loader import Loader

SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
STDIN: Final = "-"
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
TAB_PERHAPS: Final = "found character that cannot start any token"
STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document. Its text may hold secrets, so it prints as its place only."""

    value: Mapping[str, object] = field(repr=False)
    node: yaml.MappingNode = field(repr=False)
    place: Place

    def locate(self, path: str) -> Place:
        """Where `spec.rules[0].tier` is written, or the nearest thing around it that is."""
        node: yaml.Node = self.node
        line = node.start_mark.line
        for key, index in STEP.findall(path):
            found = _child(node, key, index)
            if found is None:
                break
            line, node = found
        return Place(self.place.file, line + 1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files hold, and what of them could not be read."""

    documents: tuple[Document, ...]
    findings: tuple[Finding, ...] = ()


def load(paths: tuple[str, ...]) -> Loaded:
    """Read files, folders (recursively) and `-` (standard input); raise `NothingToRead`."""
    documents: list[Document] = []
    findings: list[Finding] = []
    for name, text in _texts(paths):
        try:
            documents.extend(_documents(name, text))
        except yaml.MarkedYAMLError as error:
            findings.append(_syntax_finding(name, error))
        except yaml.YAMLError as error:
            findings.append(_unreadable(name, f"not YAML: {error}"))
        except UnicodeDecodeError as error:
            findings.append(_unreadable(name, f"not UTF-8 at byte {error.start}"))
        except ValueError as error:
            findings.append(_unreadable(name, f"a value that its tag does not fit: {error}"))
        except RecursionError:
            findings.append(_unreadable(name, "nested too deeply"))
        except _Unsuitable as error:
            findings.append(_unreadable(name, str(error), error.line))
    return Loaded(tuple(documents), tuple(findings))


def files_of(paths: tuple[str, ...]) -> tuple[Path, ...]:
    """The files that `load` reads, standard input left out, each once, in a stable order."""
    try:
        return _files_of(paths)
    except OSError as error:
        msg = f"{error.filename}: cannot be read: {error.strerror}"
        raise NothingToRead(msg) from error


def _files_of(paths: tuple[str, ...]) -> tuple[Path, ...]:
    found: dict[Path, None] = {}
    for path in map(Path, (p for p in paths if p != STDIN)):
        if path.is_dir():
            inside = sorted(f for f in path.rglob("*") if f.suffix in SUFFIXES and f.is_file())
            if not inside:
                msg = f"{path}: no .yaml, .yml or .json file in this folder"
                raise NothingToRead(msg)
            found.update(dict.fromkeys(inside))
        elif path.exists():  # pipes as well: -f <(kubectl get ... -o yaml)
            found[path] = None
        else:
            msg = f"{path}: no such file or folder"
            raise NothingToRead(msg)
    return tuple(found)


class _Unsuitable(Exception):
    """YAML, but not a Kubernetes resource."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def _texts(paths: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    if STDIN in paths:
        yield "stdin", sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    for file in files_of(paths):
        try:
            with file.open("rb") as stream:
                yield str(file), stream.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            msg = f"{file}: cannot be read: {error.strerror}"
            raise NothingToRead(msg) from error


def _documents(name: str, text: bytes) -> Iterator[Document]:
    if len(text) > MAX_FILE_BYTES:
        msg = f"larger than {MAX_FILE_BYTES >> 20} MiB: split it"
        raise _Unsuitable(msg)
    loader = Loader(text.decode("utf-8-sig"))
    try:
        while loader.check_node():
            if (node := loader.get_node()) is not None:
                yield from _resources(name, node, loader)
    finally:
        loader.dispose()


def _resources(name: str, node: yaml.Node, loader: Loader) -> Iterator[Document]:
    """One document, or the items of a `kind: List`."""
    value = loader.construct_document(node)
    line = node.start_mark.line + 1
    if value is None:
        return
    is_list = isinstance(value, dict) and value.get("kind") == "List"
    items = _child(node, "items", "") if is_list else None
    if items and isinstance(items[1], yaml.SequenceNode):
        for item, inner in zip(value["items"], items[1].value, strict=True):
            yield _resource(item, inner, Place(name, inner.start_mark.line + 1))
        return
    yield _resource(value, node, Place(name, line))


def _resource(value: object, node: yaml.Node, place: Place) -> Document:
    if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
        msg = f"a {type(value).__name__} where a resource (a mapping) belongs"
        raise _Unsuitable(msg, place.line)
    return Document(value, node, place)


def _child(node: yaml.Node, key: str, index: str) -> tuple[int, yaml.Node] | None:
    if index and isinstance(node, yaml.SequenceNode) and int(index) < len(node.value):
        inner = node.value[int(index)]
        return inner.start_mark.line, inner
    if key and isinstance(node, yaml.MappingNode):
        for name, inner in node.value:
            if name.value == key:
                return name.start_mark.line, inner
    return None


def _syntax_finding(name: str, error: yaml.MarkedYAMLError) -> Finding:
    mark = error.problem_mark or error.context_mark
    what = ": ".join(part for part in (error.context, error.problem) if part)
    if what.endswith(TAB_PERHAPS):
        what += " (a tab? indent with spaces; quote what begins with @ or `)"
    line = mark.line + 1 if mark else 0
    column = mark.column + 1 if mark else 0
    return Finding("error", "InvalidYaml", what, Place(name, line, column))


def _unreadable(name: str, message: str, line: int = 0) -> Finding:
    return Finding("error", "InvalidYaml", message, Place(name, line))
