"""A journal survives whatever kills its process, and never gets in the way of a request."""

import json
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.journal_disk import HEADER_BYTES, RETRY_SECONDS, STEP_BYTES

STEPS = st.lists(st.binary(max_size=30) | st.integers(0, 9), max_size=8)
"""Append these bytes, or confirm the n-th of those that are there."""


@dataclass
class HandClock:
    now: float = 100

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "settlements"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For tests that use many directories, one after another."""
    return tmp_path_factory.mktemp("journals") / "journal"


def reopened(path: Path) -> list[tuple[int, bytes]]:
    """What the next process finds."""
    journal = Journal.open(path)
    found = journal.unconfirmed()
    journal.close()
    return found


def found_in(data: bytes, directory: Path) -> list[tuple[int, bytes]]:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    (directory / "file").write_bytes(data)
    return reopened(directory / "file")


def do(journal: Journal, step: bytes | int) -> None:
    if isinstance(step, bytes):
        journal.append(step)
    elif there := journal.unconfirmed():
        journal.confirm(there[step % len(there)][0])


def test_the_next_process_finds_what_was_not_confirmed_in_order(path: Path) -> None:
    journal = Journal.open(path)
    numbers = [journal.append(text) for text in (b"one", b"two", b"", b"four")]
    assert numbers == sorted(set(numbers))
    journal.confirm(numbers[1])
    expected = [(numbers[0], b"one"), (numbers[2], b""), (numbers[3], b"four")]
    assert journal.unconfirmed() == expected
    journal.close()
    assert reopened(path) == expected
    assert reopened(path) == expected, "reading changes nothing"


def test_numbers_go_on_where_the_former_process_ended(path: Path) -> None:
    journal = Journal.open(path)
    last = [journal.append(b"x") for _ in range(3)][-1]
    journal.close()
    again = Journal.open(path)
    assert again.append(b"y") > last
    again.close()


def test_confirming_twice_or_what_never_was_is_no_error(path: Path) -> None:
    journal = Journal.open(path)
    number = journal.append(b"x")
    for each in (number, number, 99):
        journal.confirm(each)
    assert len(journal) == 0
    journal.close()


def test_without_a_path_all_is_in_memory() -> None:
    journal = Journal.open(None)
    number = journal.append(b"x")
    assert journal.unconfirmed() == [(number, b"x")]
    assert not journal.on_disk
    journal.confirm(number)
    assert len(journal) == 0
    journal.close()


def test_an_empty_journal_leaves_no_file(path: Path) -> None:
    journal = Journal.open(path)
    journal.confirm(journal.append(b"x"))
    assert path.exists(), "it is kept for the next entry"
    journal.close()
    assert list(path.parent.iterdir()) == []


def test_an_emptied_file_is_removed_at_once_where_it_is_large(path: Path) -> None:
    journal = Journal.open(path)
    number = journal.append(bytes(STEP_BYTES))
    assert path.exists()
    journal.confirm(number)
    assert list(path.parent.iterdir()) == []
    later = journal.append(b"later")
    journal.close()
    assert reopened(path) == [(later, b"later")]


def test_a_file_of_nothing_but_confirmed_entries_is_removed_at_the_start(path: Path) -> None:
    journal = Journal.open(path)
    journal.confirm(journal.append(b"x"))
    data = path.read_bytes()
    journal.close()
    path.write_bytes(data)
    Journal.open(path).close()
    assert not path.exists()


def test_nobody_else_may_read_it(path: Path) -> None:
    journal = Journal.open(path)
    journal.append(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    journal.close()


def test_after_close_the_file_stays_as_it_is(path: Path) -> None:
    journal = Journal.open(path)
    number = journal.append(b"x")
    journal.close()
    journal.confirm(number)
    journal.append(b"y")
    journal.close()
    assert reopened(path) == [(number, b"x")]


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_file_cut_off_anywhere_holds_all_that_was_written_before(
    scratch: Path, steps: list[bytes | int]
) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    journal = Journal.open(scratch / "file")
    states: dict[int, list[tuple[int, bytes]]] = {0: []}
    data = b""
    for step in steps:
        do(journal, step)
        data = (scratch / "file").read_bytes() if (scratch / "file").exists() else b""
        states[len(data)] = journal.unconfirmed()
    journal.close()
    for cut in range(len(data) + 1):
        complete = max(size for size in states if size <= cut)
        assert found_in(data[:cut], scratch) == states[complete]


@settings(max_examples=40, deadline=None)
@given(STEPS, st.data())
def test_a_broken_byte_invents_nothing_and_keeps_what_is_before_it(
    scratch: Path, steps: list[bytes | int], draw: st.DataObject
) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    journal = Journal.open(scratch / "file")
    journal.append(b"first")
    states = {(scratch / "file").stat().st_size: journal.unconfirmed()}
    for step in steps:
        do(journal, step)
        states[(scratch / "file").stat().st_size] = journal.unconfirmed()
    data = bytearray((scratch / "file").read_bytes())
    journal.close()
    at = draw.draw(st.integers(0, len(data) - 1))
    data[at] ^= draw.draw(st.integers(1, 255))
    before = max((size for size in states if size <= at), default=0)
    assert found_in(bytes(data), scratch) == states.get(before, [])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 30_000) | st.integers(-9, -1), max_size=60))
def test_a_process_that_dies_after_any_call_has_lost_nothing(
    scratch: Path, steps: list[int]
) -> None:
    """Also while the file is written anew; sizes of entries, or which to confirm."""
    shutil.rmtree(scratch, ignore_errors=True)
    journal = Journal.open(scratch / "file", max_bytes=300_000)
    copy = scratch.with_name("copy")
    for step in steps:
        do(journal, bytes(step) if step >= 0 else step)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(scratch, copy)
        assert reopened(copy / "file") == journal.unconfirmed()
    journal.close()


def test_the_file_stays_small_however_much_goes_through_it(path: Path) -> None:
    journal = Journal.open(path)
    stuck = journal.append(b"nobody hears of this one")
    sizes = set()
    for number in range(3_000):
        journal.confirm(journal.append(b"%0300d" % number))
        sizes.add(sum(file.stat().st_size for file in path.parent.iterdir()))
    assert max(sizes) < 2 * STEP_BYTES
    journal.close()
    assert reopened(path) == [(stuck, b"nobody hears of this one")]


def test_a_large_file_is_written_anew_in_small_steps(path: Path, tmp_path: Path) -> None:
    most = 1_000_000
    journal = Journal.open(path, max_bytes=most)
    numbers = [journal.append(bytes(900)) for _ in range(1_000)]
    file, replaced, most_at_once = path.stat(), 0, 0
    on_disk = file.st_size
    for number in numbers[:999]:
        journal.confirm(number)
        before, on_disk = on_disk, sum(each.stat().st_size for each in path.parent.iterdir())
        most_at_once = max(most_at_once, on_disk - before)
        assert on_disk < 3 * most
        if path.stat().st_ino != file.st_ino:
            file, replaced = path.stat(), replaced + 1
            shutil.copytree(path.parent, tmp_path / str(replaced))
            assert reopened(tmp_path / str(replaced) / path.name) == journal.unconfirmed()
    assert replaced > 2
    assert most_at_once <= STEP_BYTES + 2_000
    assert path.stat().st_size <= 2 * STEP_BYTES
    journal.close()
    assert reopened(path) == [(numbers[999], bytes(900))]


def test_at_a_bound_the_oldest_goes_and_it_is_said_once(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(path, max_entries=3)
    numbers = [journal.append(b"x") for _ in range(6)]
    assert [number for number, _ in journal.unconfirmed()] == numbers[3:]
    assert [record.message for record in caplog.records] == ["limits.journal_full"]
    journal.close()
    assert [number for number, _ in reopened(path)] == numbers[3:]
    for_less = Journal.open(path, max_bytes=2)
    assert [number for number, _ in for_less.unconfirmed()] == numbers[4:]
    for_less.close()


def test_an_entry_that_no_journal_could_hold_pushes_nothing_out(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(path, max_bytes=10)
    first = journal.append(b"ten bytes.")
    too_large = journal.append(b"eleven byte")
    assert too_large > first
    assert journal.unconfirmed() == [(first, b"ten bytes.")]
    assert [record.message for record in caplog.records] == ["limits.journal_full"]
    journal.confirm(too_large)
    journal.close()


def test_a_torn_tail_is_said_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal.open(path)
    kept = journal.append(b"kept")
    journal.append(b"cut off")
    journal.close()
    path.write_bytes(path.read_bytes()[:-1])
    assert reopened(path) == reopened(path) == [(kept, b"kept")]
    (record,) = caplog.records
    assert (record.message, vars(record)["entries"]) == ("limits.journal_torn", 1)


def test_two_never_share_one_file(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Journal.open(path), Journal.open(path)
    (record,) = caplog.records
    assert record.message == "limits.journal_in_memory"
    assert vars(record)["why"] == "used by another process"
    number = first.append(b"first's")
    second.append(b"second's")
    assert len(second) == 1
    second.close()
    first.close()
    assert reopened(path) == [(number, b"first's")]


def test_a_directory_that_cannot_be_made_costs_durability_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("no directory")
    journal = Journal.open(tmp_path / "file" / "journal")
    journal.confirm(journal.append(b"x"))
    journal.append(b"y")
    assert len(journal) == 1
    journal.close()
    assert [record.message for record in caplog.records] == ["limits.journal_in_memory"]


def test_a_disk_that_comes_back_gets_all_that_is_unconfirmed(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    journal = Journal.open(path, clock)
    path.parent.rmdir()
    kept = [journal.append(bytes([n])) for n in range(5)]
    clock.now += RETRY_SECONDS
    journal.confirm(kept.pop(0))
    assert [record.message for record in caplog.records] == ["limits.journal_in_memory"]
    path.parent.mkdir()
    journal.confirm(kept.pop(0))
    assert not journal.on_disk
    assert not path.exists(), "not before a minute has passed"
    clock.now += RETRY_SECONDS
    journal.confirm(kept.pop(0))
    assert path.exists()
    assert journal.on_disk
    journal.close()
    assert [number for number, _ in reopened(path)] == kept
    assert len(caplog.records) == 1


FULL_DISK = """
import json, resource, signal, sys
from pathlib import Path
from penstock_sidecar.limits.journal import Journal
path, most = Path(sys.argv[1]), int(sys.argv[2])
journal = Journal.open(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # then write(2) is short, and then fails
numbers = [journal.append(b"%0100d" % n) for n in range(20)]
journal.confirm(numbers[0])
print(json.dumps({"kept": len(journal), "files": [f.name for f in path.parent.iterdir()]}))
"""


@pytest.mark.parametrize("most", [0, 1, 120, 500, 1_000])
def test_a_full_disk_keeps_what_it_took(path: Path, most: int) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(path), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    whole = most // (HEADER_BYTES + 100)
    assert json.loads(done.stdout) == {"kept": 19, "files": [path.name] if whole else []}
    assert done.stderr.splitlines() == ["limits.journal_in_memory"]
    assert reopened(path) == [(n + 1, b"%0100d" % n) for n in range(whole)]


ENDLESS = """
import itertools, sys
from pathlib import Path
from penstock_sidecar.limits.journal import Journal
journal = Journal.open(Path(sys.argv[1]))
for n in itertools.count():
    number = journal.append(b"entry %d" % n * 40)
    print("appended", number, n, flush=True)
    if n % 3:
        print("confirming", number, n, flush=True)
        journal.confirm(number)
        print("confirmed", number, n, flush=True)
"""


def test_a_killed_process_leaves_what_it_had_not_confirmed(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        lines = [next(process.stdout) for _ in range(3_000)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    said = [line.split() for line in lines if line.endswith("\n")]
    entries = {int(number): b"entry %d" % int(n) * 40 for _, number, n in said}
    done = {word: {int(number) for w, number, _ in said if w == word} for word, *_ in said}
    found = dict(reopened(path))
    assert found.keys() >= done["appended"] - done["confirming"]
    assert not found.keys() & done["confirmed"]
    last = max(entries)
    assert {n: body for n, body in found.items() if n <= last} == {
        n: entries[n] for n in found if n <= last
    }
    assert len(found.keys() - entries.keys()) <= 1, "one may have been written and not said"
