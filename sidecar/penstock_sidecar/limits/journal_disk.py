"""The journal's file. It knows numbers and bytes, and raises nothing once it is open.

    file      records, one after another; appended to, and now and then written anew
    record    kind (1 byte), number (8), length of the body (4), CRC-32 of all the rest (4), body
    kinds     E an entry; C the entry of that number is done with, no body

A record is at the operating system when `keep` returns: it outlives the process, whatever kills it.
It is not synced to the disk, which would block the loop for milliseconds: a machine that loses its
power loses the last seconds, and what is lost is a hold that ends as unsettled.

Reading ends at the first record that is cut off or broken.

No call but `open` and `write_anew` writes, or gives back, more than `STEP_BYTES` and two entries.
When most of the file is done with, it is written anew beside itself in steps of that size, one with
each call, and replaced in the end; all together stays below about three times what is unconfirmed
at most. A disk that fails costs durability and nothing else: it is said once, and a whole new file
is tried a minute later.
"""

import contextlib
import errno
import fcntl
import logging
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self

from penstock_sidecar.clock import Clock

STEP_BYTES: Final = 64 * 1024
"""Some tens of microseconds. A file smaller than this is neither written anew nor removed."""
RETRY_SECONDS: Final = 60.0

_ENTRY, _DONE = b"E", b"C"
_HEAD: Final = struct.Struct("<cQI")
_SUM: Final = struct.Struct("<I")
HEADER_BYTES: Final = _HEAD.size + _SUM.size

logger = logging.getLogger(__name__)


class Disk:
    """Follows `entries`, which the journal changes first, as long as the disk lets it."""

    def __init__(self, path: Path, directory: int, entries: dict[int, bytes], clock: Clock) -> None:
        """Owns the descriptor `directory`, which holds the lock."""
        self.entries = entries
        self._path = path
        self._directory = directory
        self._clock = clock
        self._live_bytes = sum(HEADER_BYTES + len(entry) for entry in entries.values())
        self._file: _File | None = None
        self._move: _Move | None = None
        self._replaced: deque[_File] = deque()
        """No longer there by name; their room is given back in steps."""
        self._retry_at = clock.monotonic()
        self._said = False

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self | None:
        """`None` where the directory cannot be had; that is said."""
        try:
            directory = _locked(path.parent)
        except OSError as error:
            taken = isinstance(error, BlockingIOError)
            _say_in_memory("used by another process" if taken else str(error.strerror))
            return None
        try:
            entries = _read(path)
        except OSError as error:
            os.close(directory)
            _say_in_memory(str(error.strerror))
            return None
        return cls(path, directory, entries, clock)

    @property
    def holds_all(self) -> bool:
        """False from when the disk failed until a whole new file is there."""
        return self._file is not None or not self.entries

    def keep(self, number: int, entry: bytes) -> None:
        self._live_bytes += HEADER_BYTES + len(entry)
        if self._move:
            self._move.todo.append(number)
        self._write(packed(_ENTRY, number, entry), number)

    def forget(self, number: int, entry: bytes) -> None:
        self._live_bytes -= HEADER_BYTES + len(entry)
        self._write(packed(_DONE, number), number)

    def write_anew(self) -> None:
        """All at once: the file holds what is unconfirmed, and is gone where nothing is."""
        if not self.entries:
            self._remove()
            return
        try:
            self._step()
            while self._move:
                self._step()
        except OSError as error:
            self._give_up(error)

    def close(self) -> None:
        if not self.entries:
            self._remove()
        self._end_move()
        for file in filter(None, (self._file, *self._replaced)):
            file.close()
        os.close(self._directory)

    def _write(self, record: bytes, number: int) -> None:
        try:
            if self._file:
                self._file.write(record)
            if self._move and number <= self._move.last:
                self._move.file.write(record)
            self._tidy()
        except OSError as error:
            self._give_up(error)

    def _tidy(self) -> None:
        if self._replaced and self._replaced[0].shrink():
            self._replaced.popleft().close()
        if not self.entries and not (self._file and self._file.size <= STEP_BYTES):
            self._remove()
        elif self._move or self._wants_new_file():
            self._step()

    def _wants_new_file(self) -> bool:
        if not self._file:
            return self._clock.monotonic() >= self._retry_at
        return self._file.size > max(STEP_BYTES, 2 * self._live_bytes)

    def _step(self) -> None:
        """Goes on with the new file, or begins it; the last step puts it in place."""
        if not self._move:
            self._move = _Move(_File(self._new_path), self.entries)
        if self._move.step(self.entries):
            self._new_path.replace(self._path)
            if self._file:
                self._replaced.append(self._file)
            self._file, self._move, self._said = self._move.file, None, False

    def _remove(self) -> None:
        self._discard(self._file, self._path)
        self._file = None
        self._end_move()

    def _end_move(self) -> None:
        if self._move:
            self._discard(self._move.file, self._new_path)
            self._move = None

    def _discard(self, file: "_File | None", path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError:  # it stays: what it holds is said twice, after a restart
            if file:
                file.close()
        else:
            if file:
                self._replaced.append(file)

    def _give_up(self, error: OSError) -> None:
        """The file stays as it is, for the next process or until a new one replaces it."""
        if self._file:
            self._file.close()
            self._file = None
        self._end_move()
        self._retry_at = self._clock.monotonic() + RETRY_SECONDS
        if not self._said:
            self._said = True
            _say_in_memory(str(error.strerror))

    @property
    def _new_path(self) -> Path:
        return self._path.with_name(self._path.name + ".new")


class _Move:
    """A new file on its way to replace the old one: all that is unconfirmed, in order."""

    def __init__(self, file: "_File", numbers: Iterable[int]) -> None:
        self.file = file
        self.todo = deque(numbers)
        self.last = 0
        """What ends up to here must be told to this file too."""

    def step(self, entries: Mapping[int, bytes]) -> bool:
        """True when all is there."""
        records: list[bytes] = []
        size = 0
        while self.todo and size < STEP_BYTES:
            self.last = self.todo.popleft()
            entry = entries.get(self.last)
            if entry is not None:
                records.append(packed(_ENTRY, self.last, entry))
                size += len(records[-1])
        self.file.write(b"".join(records))
        return not self.todo


class _File:
    """A new file of our own, appended to."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self.size = 0

    def write(self, data: bytes) -> None:
        written = os.write(self._descriptor, data)
        self.size += written
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def shrink(self) -> bool:
        """True when nothing is left. To free megabytes at once would take milliseconds."""
        self.size = max(0, self.size - STEP_BYTES)
        with contextlib.suppress(OSError):  # then `close` frees it, late
            os.ftruncate(self._descriptor, self.size)
        return not self.size

    def close(self) -> None:
        with contextlib.suppress(OSError):  # a late report of a write that `write` answered for
            os.close(self._descriptor)


def packed(kind: bytes, number: int, body: bytes = b"") -> bytes:
    """One record."""
    head = _HEAD.pack(kind, number, len(body))
    return b"".join((head, _SUM.pack(zlib.crc32(body, zlib.crc32(head))), body))


def replayed(data: bytes) -> tuple[dict[int, bytes], int]:
    """What is unconfirmed, and how many bytes of `data` are whole records."""
    entries: dict[int, bytes] = {}
    at = 0
    while len(data) - at >= HEADER_BYTES:
        kind, number, length = _HEAD.unpack_from(data, at)
        (checksum,) = _SUM.unpack_from(data, at + _HEAD.size)
        end = at + HEADER_BYTES + length
        body = data[at + HEADER_BYTES : end]
        if zlib.crc32(body, zlib.crc32(data[at : at + _HEAD.size])) != checksum or end > len(data):
            break
        if kind == _ENTRY:
            entries[number] = body
        else:
            entries.pop(number, None)
        at = end
    return entries, at


def _read(path: Path) -> dict[int, bytes]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    entries, whole = replayed(data)
    if whole < len(data):
        lost = {"lost_bytes": len(data) - whole, "entries": len(entries)}
        logger.warning("limits.journal_torn", extra=lost)
    return entries


def _locked(directory: Path) -> int:
    """A descriptor; the lock ends with it, or with the process. `BlockingIOError`: taken."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _say_in_memory(why: str) -> None:
    logger.warning("limits.journal_in_memory", extra={"why": why})
