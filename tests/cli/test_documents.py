"""Reading files: what is there, where it is written, what is wrong with it."""

import io
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from penstock_cli.documents import MAX_FILE_BYTES, Loaded, files_of, load
from penstock_cli.failure import NothingToRead

TWO = """\
kind: A
metadata:
  name: a
spec:
  rules:
    - name: first
    - name: second
      tier: {name: fast}
---
kind: B
"""


def _load(folder: Path, text: str | bytes) -> Loaded:
    file = folder / "a.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load((str(file),))


def test_every_document_of_a_file_is_read_with_its_line(tmp_path: Path) -> None:
    found = _load(tmp_path, TWO).documents
    assert [(d.value["kind"], d.place.line) for d in found] == [("A", 1), ("B", 10)]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("spec.rules[1].tier", 8),
        ("spec.rules[1]", 7),
        ("spec.rules[7].tier", 5),
        ("spec.absent", 4),
        ("", 1),
    ],
)
def test_a_path_leads_to_its_line_or_the_nearest_around_it(
    tmp_path: Path, path: str, line: int
) -> None:
    assert _load(tmp_path, TWO).documents[0].locate(path).line == line


def test_items_of_a_list_are_documents(tmp_path: Path) -> None:
    text = "kind: List\nitems:\n  - kind: A\n  - kind: B\n"
    found = _load(tmp_path, text).documents
    assert [(d.value["kind"], d.place.line) for d in found] == [("A", 3), ("B", 4)]


def test_json_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"kind": "A"}')
    assert [d.value for d in load((str(tmp_path),)).documents] == [{"kind": "A"}]


def test_empty_documents_and_comments_are_nothing(tmp_path: Path) -> None:
    assert _load(tmp_path, "# only a comment\n---\n---\n") == Loaded(())


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: [1\nb: 2\n", 2, "expected"),
        ("a:\n\tb: 1\n", 2, "indent with spaces"),
        ("kind: List\nitems:\n- a\n", 3, "a str where a resource"),
        ("kind: A\nkind: B\n", 2, "second time"),
        ("- 1\n", 1, "a list where a resource"),
        ("kind: A\n---\njust words\n", 3, "a str where a resource"),
        ("kind: !!python/object:os.system {}\n", 1, "could not determine a constructor"),
        ("kind: *nobody\n", 1, "undefined alias"),
        ("kind: !!int seven\n", 0, "its tag does not fit"),
        ("{a: " * 100_000, 0, "nested too deeply"),
        (b"kind: \xff\n", 0, "not UTF-8"),
        (b" " * (MAX_FILE_BYTES + 1), 0, "larger than 16 MiB"),
        ("kind: \x00\n", 0, "not YAML"),
    ],
)
def test_what_cannot_be_read_is_a_finding_with_its_line(
    tmp_path: Path, text: str | bytes, line: int, what: str
) -> None:
    (finding,) = _load(tmp_path, text).findings
    assert (finding.reason, finding.severity) == ("InvalidYaml", "error")
    assert what in finding.message
    assert finding.place
    assert finding.place.line == line


def test_what_looks_like_a_date_stays_text_as_for_kubectl(tmp_path: Path) -> None:
    (found,) = _load(tmp_path, "a: 2026-13-45\nb: 2026-12-31T00:00:00Z\n").documents
    assert found.value == {"a": "2026-13-45", "b": "2026-12-31T00:00:00Z"}


def test_a_pipe_is_read_like_a_file() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"kind: A\n")
    os.close(writing)
    assert load((f"/dev/fd/{reading}",)).documents[0].value == {"kind": "A"}
    os.close(reading)


def test_a_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [")
    (tmp_path / "b.yml").write_text("kind: B")
    loaded = load((str(tmp_path),))
    assert [d.value["kind"] for d in loaded.documents] == ["B"]
    assert len(loaded.findings) == 1


def test_folders_are_read_recursively_and_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yaml", "deep/c.yml", "notes.txt"):
        (tmp_path / name).write_text("kind: A")
    found = files_of((str(tmp_path), str(tmp_path / "a.yaml")))
    assert [f.relative_to(tmp_path).as_posix() for f in found] == ["a.yaml", "b.yaml", "deep/c.yml"]


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"kind: A\n")))
    (found,) = load(("-",)).documents
    assert str(found.place) == "stdin:1"


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a" * 300])
def test_a_path_that_holds_nothing_is_wrong_usage(tmp_path: Path, name: str) -> None:
    with pytest.raises(NothingToRead, match=r"no such file|in this folder|cannot be read"):
        load((str(tmp_path / name),))


def test_a_document_never_prints_its_values(tmp_path: Path) -> None:
    (document,) = _load(tmp_path, "stringData: {key: sesame}").documents
    assert "sesame" not in repr(document)
