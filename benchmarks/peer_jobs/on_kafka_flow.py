"""modelstream on Kafka: one instance of the join, stepped until a slice is answered."""

from contextlib import closing

import modelstream as ms
from benchmarks.peer_jobs.on_kafka_order import WAIT_MS, Slices, order
from benchmarks.served import answer, engine_of, publish_and_admit


def main() -> None:
    """Do slices until no more are asked for."""
    told, onnx = order()
    flow = ms.Flow(name=told.group, records=told.records, results=told.results)
    url = f"kafka://{told.bootstrap}"
    options = {"delivery": told.delivery, "max.poll.interval.ms": WAIT_MS}
    slices = Slices()
    with closing(ms.open_log(url, options=options)) as log:
        publish_and_admit(log, flow, onnx, told.features)
        with engine_of(flow, log) as engine:
            while slices.wait():
                slices.tell(answer(engine, told.slice_records))


main()
