"""What is known of other processes on this machine, and waiting for it to change."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def is_alive(pid: int) -> bool:
    """Tell a running process from one that is gone or waits to be buried."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def until_gone(*pids: int) -> None:
    """Wait until none of these processes runs any more."""
    eventually(lambda: not any(map(is_alive, pids)))


def children_of(pid: int) -> list[int]:
    """Return the living children of a process's first thread."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [child for child in map(int, children) if is_alive(child)]


def eventually(what: Callable[[], T], seconds: float = 30.0) -> T:
    """Return the first true value of `what`; fail when none comes for very long."""
    give_up = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < give_up, f"it did not happen within {seconds} seconds"
        time.sleep(0.005)
    return value
