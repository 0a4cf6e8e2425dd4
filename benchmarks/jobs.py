"""Jobs of peers: each runs in its peer's own environment and does a slice when it is asked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environments import python_of
from benchmarks.measure import Side, Slice


@contextmanager
def job_side(peer: str, job: str, directory: Path) -> Iterator[Side]:
    """Run a job on what lies in a directory, and return a side that asks it for slices.

    Without a peer's name it runs in the environment of this process.
    """
    root = Path(__file__).resolve().parents[1]
    python = python_of(peer) if peer else sys.executable
    with subprocess.Popen(
        [python, "-m", f"benchmarks.peer_jobs.{job}", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    ) as process:

        def side() -> Slice:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("a slice\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{job} ended with exit code {process.wait()}")
            records, seconds = json.loads(line)
            return Slice(records, seconds)

        yield side
        assert process.stdin is not None
        process.stdin.close()
