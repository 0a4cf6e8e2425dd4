"""A flow and its log, as a verb is given them: by the path of a flow.toml."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from modelstream.cli.importing import find_modules_here
from modelstream.errors import LogError
from modelstream.flow import Flow, load_flow
from modelstream.log import open_log
from modelstream.log.base import Log
from modelstream.log.outages import wait_out


@contextmanager
def opened(path: Path, *, make: bool = False, waits: bool = False) -> Iterator[tuple[Flow, Log]]:
    """Open a flow's log; with `make` it may be missing, as for whoever writes the first message.

    With `waits` a log that does not answer yet is waited for, as by what runs for long.

    Raises InvalidFlow, LogError.
    """
    flow = load_flow(path)
    _check(flow, make=make)
    if flow.functions:
        find_modules_here()
    open_it = partial(open_log, flow.log, durability=flow.durability, options=flow.kafka)
    log = wait_out(open_it, threading.Event()) if waits else open_it()
    assert log is not None, "nothing stops the wait"
    try:
        yield flow, log
    finally:
        log.close()


def _check(flow: Flow, *, make: bool) -> None:
    """Refuse a log that no other command could have written, or could ever read."""
    if flow.log == "memory:":
        raise LogError(
            'log = "memory:" is gone with its process, so that no two commands can share it; '
            "use file:DIRECTORY"
        )
    if not make and flow.log.startswith("file:") and not Path(flow.log[5:]).is_dir():
        raise LogError(
            f"there is no log at {flow.log} yet; `modelstream serve`, `publish` or `send` makes it"
        )
