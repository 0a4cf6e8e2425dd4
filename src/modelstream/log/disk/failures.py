"""What SQLite and the system report, told as LogErrors that say what to do next."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelstream.errors import LogError

_FULL = "the disk of {0} is full, and nothing of this write was kept: free some space, then repeat"
_FORBIDDEN = "{0} cannot be written: give this user the right to, or choose another directory"
_NO_PARENT = "{0} cannot be made, for its parent is missing: make that first, or correct the path"
_NO_DIRECTORY = "{0} is not a directory: choose another path for the log"
_DAMAGED = (
    "{0}/log.db is damaged, or is no log: restore it from a copy, or choose another directory"
)
_BUSY = "a program that is not part of the log holds {0}/log.db: end it, then repeat"
_DISK = "the disk of {0} failed, so the last write may be lost: check the disk, then open the log"
_CLOSED = "the log in {0} was closed: open it again"

# By the first words of SQLite's names; the extended ones, such as SQLITE_IOERR_WRITE, go on.
_BY_NAME = {
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": _FORBIDDEN,
    "SQLITE_PERM": _FORBIDDEN,
    "SQLITE_CANTOPEN": _FORBIDDEN,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_IOERR": _DISK,
}
_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.ENOENT: _NO_PARENT,
    errno.EEXIST: _NO_DIRECTORY,
    errno.ENOTDIR: _NO_DIRECTORY,
}


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn every error of SQLite and of the system into a LogError about this directory."""
    try:
        yield
    except sqlite3.ProgrammingError as error:
        raise LogError(f"{_CLOSED.format(directory)} ({error})") from error
    except sqlite3.Error as error:
        name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
        raise LogError(f"{_BY_NAME.get(name, _DISK).format(directory)} ({error})") from error
    except OSError as error:
        advice = _BY_NUMBER.get(error.errno or 0, _DISK)
        raise LogError(f"{advice.format(directory)} ({error})") from error
