"""The log lines of the process, one a fact, on standard error: JSON unless that is a terminal.

Whoever logs may add values: `_log.info("sentence", extra={"facts": {"name": value}})`.
"""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from modelstream.cli.text import plain, when


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Write what modelstream logs, from INFO up, while in the block."""
    logger = logging.getLogger("modelstream")
    handler, level = _Lines(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


class _Lines(logging.Handler):
    """Writes to standard error as it is at that moment: a live display may have taken its place."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = _for_people(record) if sys.stderr.isatty() else _for_machines(record)
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - logging's own way: no log line ends the work
            self.handleError(record)


def _for_people(record: logging.LogRecord) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(record.created))
    return f"{at} {record.levelname.lower():7} {plain(_message(record))}"


def _for_machines(record: logging.LogRecord) -> str:
    line = {
        "at": f"{when(int(record.created * 1000)).replace(' ', 'T')}Z",
        "level": record.levelname.lower(),
        "message": _message(record),
        **getattr(record, "facts", {}),
    }
    return msgspec.json.encode(line).decode()


def _message(record: logging.LogRecord) -> str:
    trace = record.exc_info and logging.Formatter().formatException(record.exc_info)
    return f"{record.getMessage()}\n{trace}" if trace else record.getMessage()
