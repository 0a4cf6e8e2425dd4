"""A process that copies topic `in` to topic `out`, exactly once; it is there to be killed.

Arguments: the log's directory, the durability, the records of a commit, the commits to do at most,
and perhaps `on-demand`: then each byte read is answered by a fork that copies, which says its
number, waits for one more byte, and can be traced meanwhile.
"""

import ctypes
import os
import sys
from pathlib import Path

from modelstream.errors import LogError
from modelstream.log.disk import DiskLog
from modelstream.messages import Outgoing

TOLD = 3  # the exit status after a LogError
PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = ctypes.c_ulong(-1)


def say(word: object) -> None:
    os.write(1, f"{word}\n".encode())  # one call, so that a kill cannot halve it


def copy(directory: Path, durability: str, records: int, commits: int) -> None:
    log = DiskLog(directory, "power" if durability == "power" else "process")
    consumer = log.consumer("copy", ["in"], instance="copier")
    while commits > 0 and (batches := consumer.poll(records, 0, 2**30)):
        covers = {batch.source: batch.next_offset for batch in batches}
        results = [Outgoing("out", batch.values, batch.keys, batch.partition) for batch in batches]
        consumer.commit(covers, results)
        commits -= 1
    log.blobs.put(b"an artifact")
    consumer.close()
    log.close()


def copy_on_demand(directory: Path, durability: str, records: int, commits: int) -> None:
    while os.read(0, 1):
        child = os.fork()
        if child == 0:
            try:
                # Where a process may trace its children alone, it must be let.
                ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
                say(os.getpid())
                os.read(0, 1)
                copy(directory, durability, records, commits)
                os._exit(0)
            except LogError:
                os._exit(TOLD)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    say("ready")
    run = copy_on_demand if sys.argv[5:] == ["on-demand"] else copy
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
