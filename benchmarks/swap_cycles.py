"""Swaps of one format in a process of its own: `python -m benchmarks.swap_cycles FORMAT SWAPS`.

Each swap is what a serving process does: the registry promotes a version, the loader builds it from
its lowered form, the shell flips to it, unloads the one before the last, and answers a batch.
"""

import gc
import hashlib
import json
import sys
import threading
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import modelstream as ms
from benchmarks.measure import resident_bytes
from modelstream.engines.loaded import Loaded, load
from modelstream.engines.shell import Shell
from modelstream.events import Admitted, Promoted
from modelstream.formats import format_named, import_formats
from modelstream.formats.base import Hints
from modelstream.limits import ADMIT_SECONDS_MAX, BATCH_RECORDS_MAX
from modelstream.messages import RecordBatch
from tests.support.two_versions import versions

# Swaps after which the interpreter, its libraries and the allocator have what they need.
WARM_UP_SWAPS = 50
BATCH_RECORDS = 256


@dataclass(frozen=True, slots=True)
class State:
    """What a process holds at one moment."""

    resident_bytes: int
    files: int
    threads: int
    models: int  # versions in memory, whoever still refers to them
    classes: int  # every version has some of its own, for its records and its answers


def state() -> State:
    """Look at this process."""
    gc.collect()
    resident = resident_bytes()
    alive = gc.get_objects()
    return State(
        resident,
        len(list(Path("/proc/self/fd").iterdir())),
        len(list(Path("/proc/self/task").iterdir())),
        sum(type(each) is Loaded for each in alive),
        sum(isinstance(each, type) for each in alive),
    )


class Swapper:
    """A shell that is given one version after the other, of two models of one format by turns."""

    def __init__(self, format_name: str) -> None:
        made = versions(format_name)
        chosen = format_named(format_name)
        hints = Hints(made.feature_names)
        self._format = format_name
        self._lowered = [chosen.lower(each, hints) for each in made.artifacts]
        rows = made.records * (BATCH_RECORDS // len(made.records) + 1)
        self._records = rows[:BATCH_RECORDS]
        self._loaded = threading.Event()
        self._flow = ms.Flow(name="bench", batch_records=BATCH_RECORDS)
        self._shell = Shell(self._flow, self._load, self._loaded.set)
        self._swaps = 0

    def close(self) -> None:
        """Release what is loaded."""
        self._shell.close(ADMIT_SECONDS_MAX)

    def swap(self) -> None:
        """Promote another version, wait until it is in memory, and answer a batch with it."""
        number = self._swaps
        self._swaps += 1
        version = str(number + 1)
        admitted = Admitted(
            name="model",
            version=version,
            data_type="bench",
            digest=hashlib.sha256(version.encode()).hexdigest(),
            format=self._format,
            lowered=str(number % 2),
            size=1,
            source=number,
            at_ms=0,
            inputs=(),
            outputs=(),
        )
        promoted = Promoted(
            name="model", version=version, data_type="bench", source=number, at_ms=0
        )
        self._loaded.clear()
        self._shell.follow([(2 * number, admitted), (2 * number + 1, promoted)])
        if not self._loaded.wait(ADMIT_SECONDS_MAX):
            raise RuntimeError(f"{self._format}: version {version} was never loaded")
        self._shell.take_loads()
        self._answer(version)

    def _answer(self, version: str) -> None:
        records = self._records
        batch = RecordBatch("bench", 0, range(len(records)), records, [0] * len(records))
        turn = self._shell.join([batch], lambda _: "bench")
        answered = {each.model.version for each in turn.outcomes if isinstance(each, ms.Result)}
        if answered != {version}:
            raise RuntimeError(f"{self._format}: {answered} answered, not {version}")

    def _load(self, admitted: Admitted) -> Loaded:
        lowered = self._lowered[int(admitted.lowered)]
        return load(self._format, lowered, (1, BATCH_RECORDS_MAX))


def main() -> int:
    """Swap as often as told after the warm-up; print the states before and after as JSON."""
    format_name, swaps = sys.argv[1], int(sys.argv[2])
    import_formats()
    with closing(Swapper(format_name)) as swapper:
        for _ in range(WARM_UP_SWAPS):
            swapper.swap()
        before = state()
        for _ in range(swaps):
            swapper.swap()
        after = state()
    print(json.dumps([asdict(before), asdict(after)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
