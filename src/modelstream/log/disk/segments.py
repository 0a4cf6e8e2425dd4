"""Segment files: the bytes of stored batches, one file after another for each partition.

What is in them, where, and up to which byte, is known by the database alone. So bytes that a failed
or killed transaction left behind its end are nobody's, and the next append writes over them.
"""

import os
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from modelstream import limits


class Segments:
    """The segment files under one directory; a partition is known by its row in the database.

    `durable` forces every write to the disk before it returns. Writers take turns by the log's
    lock; readers need none, as no byte that the database knows of is ever written again.
    Raises OSError, FileNotFoundError where a segment was dropped.
    """

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self._directory = directory
        self._durable = durable
        self._reading = threading.Lock()
        self._written = _Descriptors()
        self._read = _Descriptors()

    def write(self, partition: int, segment: int, at: int, data: bytes) -> None:
        """Write all of `data` from the byte `at` on; the segment is made where it is new."""
        descriptor = self._written.find(partition, segment)
        if descriptor is None:
            descriptor = self._written.keep(partition, segment, self._make(partition, segment))
        left = memoryview(data)
        while left:
            count = os.pwrite(descriptor, left, at)
            left, at = left[count:], at + count
        if self._durable:
            os.fdatasync(descriptor)

    def read(self, partition: int, segment: int, at: int, size: int) -> bytes:
        """Return `size` bytes from the byte `at` on; fewer where the file is cut short."""
        with self._reading:
            descriptor = self._read.find(partition, segment)
            if descriptor is None:
                path = self._path(partition, segment)
                descriptor = self._read.keep(partition, segment, os.open(path, os.O_RDONLY))
            return os.pread(descriptor, size, at)

    def drop_before(self, partition: int, segment: int) -> None:
        """Remove the segments of a partition that come before this one."""
        for path in self._path(partition, segment).parent.glob("*.log"):
            if int(path.stem) < segment:
                with suppress(FileNotFoundError):
                    path.unlink()

    def close(self) -> None:
        """Release the files; nobody may be writing."""
        self._written.close()
        with self._reading:
            self._read.close()

    def _path(self, partition: int, segment: int) -> Path:
        return self._directory / str(partition) / f"{segment:020}.log"

    def _make(self, partition: int, segment: int) -> int:
        path = self._path(partition, segment)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        if self._durable:
            for directory in (path.parent, self._directory, self._directory.parent):
                _sync_names(directory)
        return descriptor


class _Descriptors:
    """One open file for each partition that is in use, the one longest unused closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, tuple[int, int]] = OrderedDict()

    def find(self, partition: int, segment: int) -> int | None:
        known, descriptor = self._open.get(partition, (-1, -1))
        if known != segment:
            return None
        self._open.move_to_end(partition)
        return descriptor

    def keep(self, partition: int, segment: int, descriptor: int) -> int:
        before = self._open.pop(partition, None)
        if before is None and len(self._open) >= limits.SEGMENT_FILES_OPEN_MAX:
            _, before = self._open.popitem(last=False)
        if before is not None:
            os.close(before[1])
        self._open[partition] = (segment, descriptor)
        return descriptor

    def close(self) -> None:
        for _, descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()


def _sync_names(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
