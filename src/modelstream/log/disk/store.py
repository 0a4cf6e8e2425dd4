"""The database file of a log: two connections, one writer at a time, and checkpoints in safety.

SQLite before 3.51.3 can corrupt a database when one connection checkpoints while another writes
(the WAL-reset bug). So nothing checkpoints by itself here, and every write transaction, every
checkpoint, every opening and closing happens under one file lock between all processes.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from modelstream import limits
from modelstream.errors import LogError
from modelstream.log.disk import schema
from modelstream.log.disk.failures import explained
from modelstream.log.disk.schema import Durability

Row = tuple[Any, ...]


class Store:
    """A database that threads and processes share. Raises LogError for all that goes wrong.

    The reader sees each commit of the writer at once. It holds a read transaction only while it
    fetches, because an open one would keep checkpoints from their work.
    """

    def __init__(self, directory: Path, durability: Durability) -> None:
        self.directory = directory
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._changed = threading.Condition()
        self._closed = False
        self._seen, self._seen_at = -1, 0.0  # the last version that was waited on, since when
        self._checkpoint_bytes = limits.WAL_BYTES_MAX
        path = directory / "log.db"
        self._wal = directory / "log.db-wal"
        with explained(directory), ExitStack() as undo:
            directory.mkdir(exist_ok=True)
            self._lock_file = os.open(directory / "LOCK", os.O_RDWR | os.O_CREAT, 0o644)
            undo.callback(os.close, self._lock_file)
            with self._alone():
                self._writer = undo.enter_context(closing(schema.connect(path, durability)))
                schema.prepare(self._writer, path)
                self._reader = schema.connect(path, durability)
            undo.pop_all()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run one transaction: all of it is kept on leaving the block, nothing on an error."""
        with explained(self.directory), self._alone():
            self._writer.execute("begin immediate")
            try:
                yield self._writer
                self._writer.execute("commit")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("rollback")
                raise
            self._checkpoint()
        with self._changed:
            self._changed.notify_all()

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Row]:
        """Return what a query finds."""
        with explained(self.directory), self._reading:
            return self._reader.execute(query, values).fetchall()

    def rows_while(
        self, more: Callable[[Row], bool], query: str, values: tuple[Any, ...]
    ) -> list[Row]:
        """Return what a query finds up to the first row after which no more is wanted."""
        found = []
        with explained(self.directory), self._reading:
            cursor = self._reader.execute(query, values)
            for row in cursor:
                found.append(row)
                if not more(row):
                    break
            cursor.close()  # ends the read transaction, though rows may be left
        return found

    def version(self) -> int:
        """Return a number that changes with every commit, of whichever thread or process."""
        return int(self.rows("pragma data_version")[0][0])

    def wait(self, version: int, seconds: float) -> None:
        """Return when the version is another, or after so many seconds.

        Threads of this process wake one another; other processes are looked for now and then,
        less often where nothing has been written for a while.
        """
        now = time.monotonic()
        give_up = now + seconds
        with self._changed:
            while (current := self.version()) == version and now < give_up:
                if current != self._seen:
                    self._seen, self._seen_at = current, now
                idle = now - self._seen_at > limits.TAIL_BUSY_MS / 1000
                pause_ms = limits.TAIL_POLL_MS_MAX if idle else limits.TAIL_POLL_MS_MIN
                self._changed.wait(min(pause_ms / 1000, give_up - now))
                now = time.monotonic()

    def close(self) -> None:
        """Release the files; the last to close folds the write-ahead log in, hence the lock."""
        if self._closed:
            return
        with explained(self.directory), self._alone(), self._reading:
            self._closed = True
            self._reader.close()
            self._writer.close()
        os.close(self._lock_file)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep every other thread and process from writing."""
        give_up = time.monotonic() + limits.LOCK_WAIT_MS / 1000
        if not self._writing.acquire(timeout=limits.LOCK_WAIT_MS / 1000):
            raise self._locked()
        try:
            if self._closed:
                raise LogError(f"the log in {self.directory} was closed: open it again")
            self._lock_processes(give_up)
            try:
                yield
            finally:
                fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        finally:
            self._writing.release()

    def _lock_processes(self, give_up: float) -> None:
        pause_us = limits.LOCK_RETRY_US_MIN
        while True:
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise self._locked() from None
                time.sleep(pause_us / 1e6)
                pause_us = min(2 * pause_us, limits.LOCK_RETRY_US_MAX)
            else:
                return

    def _locked(self) -> LogError:
        return LogError(
            f"another writer has held {self.directory / 'LOCK'} for {limits.LOCK_WAIT_MS / 1000:g}"
            " seconds: look for a process that is stopped or whose disk hangs, and end it"
        )

    def _checkpoint(self) -> None:
        """Fold the write-ahead log back into the database each time that its file has grown.

        A log that is folded in whole is written from its start again, over warm memory, so it is
        cut only where it has become twice as long as it should be. The commit before stands
        whatever happens here: what fails now is done after a later one.
        """
        try:
            size = self._wal.stat().st_size
            if size <= self._checkpoint_bytes:
                return
            mode: schema.Mode = "truncate" if size > 2 * limits.WAL_BYTES_MAX else "passive"
            folded = schema.checkpoint(self._writer, mode)
            size = self._wal.stat().st_size
        except (sqlite3.Error, OSError):
            return
        grown = 0 if folded else limits.WAL_BYTES_MAX
        self._checkpoint_bytes = max(limits.WAL_BYTES_MAX, size + grown)
