"""`flink`: what a job on Flink costs a record, beside the embedded engine and a job written by hand.

Processor time of all processes of a side, Java's with them, from the first part of the records to the last, so
that starting costs nothing. The hand-written job has no start of its own to leave out: two lengths are
measured, and the difference told. Needs `make flink`.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.flink_udf import session_cpu
from benchmarks.measure import Figure, Report, Slice, cost, interleave, ratio, speed
from benchmarks.served import append, publish_and_admit
from benchmarks.workload import FEATURES, boosted_trees, some_records
from modelstream.flow import Flow, load_flow
from modelstream.log import open_log
from modelstream.log.base import Log

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv" / "flink" / "bin" / "python"
FLINK, EMBEDDED, UDF = "job on Flink", "embedded engine", "pandas UDF by hand"
PATIENCE = 300.0
GOAL = 3.0


def run(*, quick: bool = False) -> Report:
    """Measure the three sides in turns."""
    if not PYTHON.exists():
        return Report("flink", "left out", (), ("Flink is not there: make flink",))
    rounds, count = (1, 20_000) if quick else (3, 200_000)
    with tempfile.TemporaryDirectory() as place:
        told = interleave(
            {
                EMBEDDED: _serving(Path(place) / "embedded", count, []),
                FLINK: _serving(Path(place) / "flink", count, ["--engine", "flink"]),
                UDF: _by_hand(Path(place) / "udf", count),
            },
            rounds,
        )
    figures: list[Figure] = [cost(name, told) for name in told]
    figures.append(ratio(FLINK, EMBEDDED, told, None))
    figures.append(speed(FLINK, UDF, told, GOAL))
    return Report(
        "flink",
        f"{rounds} rounds of {count:,} records; disk log to disk log, the UDF file to file",
        tuple(figures),
        (
            "the job swaps models, stamps each answer and answers exactly once; the UDF does none of it",
        ),
    )


def _environment() -> dict[str, str]:
    plain = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    return plain | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


def _serving(place: Path, count: int, engine: list[str]) -> Callable[[], Slice]:
    """Return a side that serves a backlog; the first tenth of it is the way to full speed."""
    place.mkdir(parents=True)
    path = place / "flow.toml"

    def side() -> Slice:
        run_place = place / str(time.time_ns())
        path.write_text(f'name = "bench"\nlog = "file:{run_place}"\n')
        flow = load_flow(path)
        with closing(open_log(flow.log)) as log:
            publish_and_admit(log, flow, boosted_trees(), FEATURES)
            values = some_records(count)
            for start in range(0, count, 500):
                append(log, flow, values[start : start + 500])
            command = [str(PYTHON), "-m", "modelstream", "serve", str(path), *engine]
            with subprocess.Popen(
                command,
                env=_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            ) as process:
                try:
                    first, before = _reached(log, flow, count // 10, process)
                    last, after = _reached(log, flow, count, process)
                finally:
                    os.killpg(process.pid, signal.SIGKILL)
        return Slice(last - first, after - before)

    return side


def _reached(
    log: Log, flow: Flow, goal: int, process: "subprocess.Popen[bytes]"
) -> tuple[int, float]:
    """Wait until so many records are answered; return how many are, and the processor time so far."""
    patience = time.monotonic() + PATIENCE
    while (done := log.committed(flow.group, "bench.records", 0) or 0) < goal:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < patience, "it does not get on"
        time.sleep(0.005)
    return done, session_cpu(process.pid)


def _by_hand(place: Path, count: int) -> Callable[[], Slice]:
    place.mkdir(parents=True)
    model = place / "model.onnx"
    model.write_bytes(boosted_trees())

    def side() -> Slice:
        few, many = (_udf_seconds(place, model, each) for each in (count // 10, count))
        return Slice(count - count // 10, many - few)

    return side


def _udf_seconds(place: Path, model: Path, count: int) -> float:
    work = place / str(time.time_ns())
    (work / "in").mkdir(parents=True)
    lines = b"\n".join(some_records(count))
    (work / "in" / "records").write_bytes(lines)
    command = [str(PYTHON), "-m", "benchmarks.flink_udf", str(model), f"{work}/in", f"{work}/out"]
    done = subprocess.run(
        command,
        env=_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        start_new_session=True,
        check=True,
        timeout=PATIENCE,
    )
    return float(done.stdout.splitlines()[-1])
