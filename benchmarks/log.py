"""`log`: what the flow costs end to end on the embedded log, beside a loop that is written by hand."""

import modelstream as ms
from benchmarks.by_hand import ByHand, Plainly
from benchmarks.measure import Report, Side, Slice, cost, interleave, ratio, timed
from benchmarks.served import answer, append, disk_log, engine_of, publish_and_admit
from benchmarks.workload import FEATURES, boosted_trees, some_records
from modelstream.engines.embedded import Embedded
from modelstream.log.base import Log

BY_HAND, TRICKS, APPEND, SERVE = "by hand", "by hand, tuned", "append", "serve"
GOAL = 1.5
APPEND_RECORDS = 500


def run(*, quick: bool = False) -> Report:
    """Measure a producer's appends, and what is read, scored and committed exactly once."""
    rounds, count = (3, 2_000) if quick else (11, 60_000)
    flow = ms.Flow(name="bench")
    values = some_records(count)
    limit, tuned = (kind(boosted_trees(), FEATURES) for kind in (Plainly, ByHand))
    with disk_log() as log:
        publish_and_admit(log, flow, boosted_trees(), FEATURES)
        with engine_of(flow, log) as engine:
            produce(log, flow, values)  # a backlog, so that no side waits for the other
            told = interleave(
                {
                    BY_HAND: timed(lambda: limit.answer_all(values)),
                    TRICKS: timed(lambda: tuned.answer_all(values)),
                    APPEND: timed(lambda: produce(log, flow, values)),
                    SERVE: serving(log, flow, engine, count),
                },
                rounds,
            )
    return Report(
        "log",
        "disk log, durability 'process', read to commit exactly once",
        (
            *(cost(name, told) for name in told),
            ratio(SERVE, BY_HAND, told, GOAL),
            ratio(SERVE, TRICKS, told, None),
        ),
        (
            f"{rounds} rounds of {count} records, with checkpoints of the database; a turn of the loop takes at most "
            f"{flow.batch_records}, an append {APPEND_RECORDS}",
            "what a round has answered is forgotten after it, outside the measure, so that the log "
            "does not grow",
            "append is the producer's side, in a process of its own in real life; it is not part "
            "of the ratio",
        ),
    )


def serving(log: Log, flow: ms.Flow, engine: Embedded, count: int) -> Side:
    """Return a side that answers so many records; what is done is forgotten, which counts not.

    A log in use forgets too, and writes over memory that it has used before. One that only grows
    is charged by a virtual machine for each page that its host has to find for it.
    """
    work = timed(lambda: answer(engine, count))

    def side() -> Slice:
        done = work()
        (topic,) = flow.record_topics
        log.delete_before(topic, 0, log.committed(flow.group, topic, 0) or 0)
        log.delete_before(flow.results, 0, log.bounds(flow.results, 0)[1])
        return done

    return side


def produce(log: Log, flow: ms.Flow, values: list[bytes]) -> int:
    """Append records in pieces."""
    return sum(
        append(log, flow, values[start : start + APPEND_RECORDS])
        for start in range(0, len(values), APPEND_RECORDS)
    )
