"""`serve` in a process of its own, that notes every turn of its loop: `python -m benchmarks.server`.

What to serve stands on standard input as JSON; when that closes, the server stops and writes its
turns to the file that it was told.
"""

import json
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import modelstream as ms
from modelstream.engines.embedded import Embedded


class Turns:
    """The turns of a loop, in columns: 8 bytes a figure, so that noting them weighs nothing."""

    def __init__(self) -> None:
        self._columns = array("q")
        self._versions: dict[str, int] = {}

    def note(self, engine: Embedded, done: int) -> None:
        """Note the end of a turn, what it answered, and which version it leaves behind."""
        (plan,) = engine.shell.machine.snapshot().plans or (None,)
        version = "" if plan is None else str(plan.serving)
        loading = plan is not None and plan.wanted != plan.serving
        number = self._versions.setdefault(version, len(self._versions))
        self._columns.extend((time.perf_counter_ns(), done, number, loading))

    def save(self, path: Path) -> None:
        """Write a row for each turn: end in nanoseconds, records, version, is one loading."""
        np.save(path, np.array(self._columns, dtype=np.int64).reshape(-1, 4))


class Running:
    """A server that runs; `turns` can be read once it has stopped."""

    def __init__(self, process: "subprocess.Popen[bytes]", path: Path) -> None:
        self._process = process
        self._path = path

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise RuntimeError if the server has ended."""
        code = self._process.poll()
        if code is not None:
            raise RuntimeError(f"the server ended with exit code {code}; it says why above")

    def stop(self) -> None:
        """End it after the batch in hand."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def turns(self) -> npt.NDArray[np.int64]:
        """Return the turns, a row each."""
        table: npt.NDArray[np.int64] = np.load(self._path)
        return table


@contextmanager
def server_of(flow: dict[str, Any], url: str, directory: Path) -> Iterator[Running]:
    """Serve a flow, given as the arguments of `Flow`, on the log at `url`, meanwhile."""
    path = directory / "turns.npy"
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[1],
    )
    assert process.stdin is not None
    order = {"flow": flow, "url": url, "turns": str(path)}
    process.stdin.write(json.dumps(order).encode() + b"\n")
    process.stdin.flush()
    running = Running(process, path)
    try:
        yield running
    finally:
        running.stop()


def main() -> int:
    """Serve what standard input tells, until it closes."""
    told = json.loads(sys.stdin.buffer.readline())
    stop, turns = threading.Event(), Turns()
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    log = ms.open_log(told["url"])
    ms.serve(ms.Flow(**told["flow"]), log, stop=stop, on_turn=turns.note)
    log.close()
    turns.save(Path(told["turns"]))
    return 0


def _stop_with_parent(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
