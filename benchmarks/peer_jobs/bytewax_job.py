"""Bytewax: a source of batches, `flat_map_batch`, a sink."""

from bytewax import operators
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main

from benchmarks.by_hand import BATCH
from benchmarks.peer_jobs.rounds import answer_rounds, cpu_seconds, work


def main() -> None:
    """Run one flow a slice."""
    model, values = work()

    def run_slice() -> tuple[int, float]:
        results: list[bytes] = []
        flow = Dataflow("score")
        records = operators.input("records", flow, TestingSource(values, batch_size=BATCH))
        scored = operators.flat_map_batch("score", records, model.answer)
        operators.output("results", scored, TestingSink(results))
        before = cpu_seconds()
        run_main(flow)
        return len(results), cpu_seconds() - before

    answer_rounds(run_slice)


main()
