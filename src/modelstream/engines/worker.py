"""The process of one worker: `python -m modelstream.engines.worker`, its order on standard input."""

import json
import sys
import threading

from modelstream.engines.serve import run_one, stopping_on_signals
from modelstream.errors import ModelstreamError
from modelstream.flow import flow_of_plain
from modelstream.log import open_log
from modelstream.models.jail import Jail


def main() -> int:
    """Run one instance of the join; say on standard output how it ended."""
    told = json.loads(sys.stdin.buffer.readline())
    flow = flow_of_plain(told["flow"])
    stop = threading.Event()
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    try:
        log = open_log(told["url"], durability=flow.durability)
        with stopping_on_signals(stop), Jail() as jail:
            answered = run_one(flow, log, jail, stop=stop, once=told["once"])
        log.close()
    except ModelstreamError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"answered": answered}) + "\n")
    return 0


def _stop_with_parent(stop: threading.Event) -> None:
    """Stop when the parent's end of the pipe closes, whatever became of it."""
    sys.stdin.buffer.read()
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
