"""`join`: what `modelstream.join` costs in memory, beside a loop that is written by hand."""

import queue
from collections.abc import Iterator
from itertools import cycle, islice

import msgspec

import modelstream as ms
from benchmarks.by_hand import BATCH, ByHand, Plainly
from benchmarks.measure import Report, cost, interleave, ratio, timed
from benchmarks.workload import FEATURES, boosted_trees, records, republished, some_records

BY_HAND, TRICKS, JOIN, SWAPPED = "by hand", "by hand, tuned", "ms.join", "ms.join, swapped"
GOAL = 1.10


class Joined:
    """A join that goes on for ever, answered slice by slice; models arrive when told."""

    def __init__(self) -> None:
        self._versions = 0
        self._models: queue.SimpleQueue[ms.ModelDescriptor | None] = queue.SimpleQueue()
        self.publish()
        arriving = iter(self._models.get, None)
        self._results: Iterator[ms.Result | ms.Reject] = iter(
            ms.join(cycle(records()), arriving, batch=BATCH)
        )
        self._encode = msgspec.json.Encoder().encode

    def publish(self) -> str:
        """Let another version arrive; return its number."""
        self._versions += 1
        self._models.put(
            ms.ModelDescriptor(
                name="trees",
                data=republished(boosted_trees(), self._versions),
                format="onnx",
                feature_names=FEATURES,
            )
        )
        return str(self._versions)

    def answer(self, count: int) -> int:
        """Take so many results and encode them, as a program would that sends them on."""
        return len(list(map(self._encode, islice(self._results, count))))

    def answer_and_swap(self, count: int) -> int:
        """Do the same while a version arrives, until it answers; return how many it were."""
        version, done = self.publish(), 0
        while done < count or self._answering() != version:
            done += self.answer(BATCH) + 1
        return done

    def _answering(self) -> str:
        """Take one result and return the version that gave it."""
        result = next(self._results)
        assert isinstance(result, ms.Result), result
        self._encode(result)
        return result.model.version

    def close(self) -> None:
        """End both streams."""
        self._models.put(None)
        self._results.close()  # type: ignore[attr-defined]  # it is a generator


def run(*, quick: bool = False) -> Report:
    """Measure the join in steady state, and with a swap each slice."""
    rounds, batches = (3, 4) if quick else (21, 80)
    count = batches * BATCH
    limit, tuned = (kind(boosted_trees(), FEATURES) for kind in (Plainly, ByHand))
    slice_of_records = some_records(count)
    steady, swapped = Joined(), Joined()
    try:
        told = interleave(
            {
                BY_HAND: timed(lambda: limit.answer_all(slice_of_records)),
                TRICKS: timed(lambda: tuned.answer_all(slice_of_records)),
                JOIN: timed(lambda: steady.answer(count)),
                SWAPPED: timed(lambda: swapped.answer_and_swap(count)),
            },
            rounds,
        )
    finally:
        steady.close()
        swapped.close()
    return Report(
        "join",
        "in memory, one thread, versions and statistics on",
        (
            *(cost(name, told) for name in told),
            ratio(JOIN, BY_HAND, told, GOAL),
            ratio(SWAPPED, BY_HAND, told, GOAL),
            ratio(JOIN, TRICKS, told, None),
        ),
        (
            f"{rounds} rounds of {count} records; batches of {BATCH}",
            f"swapped: a new version arrives, is checked, loaded and swapped in every {batches} "
            "batches, all in this one process",
        ),
    )
