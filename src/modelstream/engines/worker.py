"""The process of one worker: `python -m modelstream.engines.worker`, its order on standard input."""

import json
import os
import sys
import threading
from functools import partial

from modelstream.engines.serve import run_one, stopping_on_signals
from modelstream.errors import ModelstreamError
from modelstream.flow import flow_of_plain
from modelstream.log import open_log
from modelstream.log.outages import wait_out
from modelstream.models.jail import Jail


def main() -> int:
    """Run one instance of the join; say on standard output how it ended."""
    told = json.loads(_read_line())
    flow = flow_of_plain(told["flow"])
    stop = threading.Event()
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    try:
        log = wait_out(partial(open_log, told["url"], durability=flow.durability), stop)
        if log is None:
            return 0
        with stopping_on_signals(stop), Jail() as jail:
            how = {"once": told["once"], "instance": told["instance"]}
            answered = run_one(flow, log, jail, stop=stop, **how)
        log.close()
    except ModelstreamError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"answered": answered}) + "\n")
    return 0


def _stop_with_parent(stop: threading.Event) -> None:
    """Stop when the parent's end of the pipe closes, whatever became of it."""
    while os.read(0, 1024):
        pass
    stop.set()


def _read_line() -> bytes:
    """Read the first line of standard input, unbuffered: a thread goes on to read it for ever."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line


if __name__ == "__main__":
    sys.exit(main())
