import threading

import msgspec

from modelstream.demo.producer import BROKEN_EVERY, Producer
from modelstream.demo.world import load_biopsies, records
from modelstream.log.memory import MemoryLog
from modelstream.messages import RecordBatch

TOPIC = "biopsies.records"


def producer_on(log: MemoryLog) -> Producer:
    log.create_topic(TOPIC)
    _, stream = load_biopsies()
    return Producer(log, TOPIC, stream, per_second=1000)


def read(log: MemoryLog, offset: int = 0) -> RecordBatch:
    return log.read(TOPIC, 0, offset, 10_000, 1 << 26)


def test_every_patient_is_sent_equally_often() -> None:
    log = MemoryLog()
    producer = producer_on(log)
    _, stream = load_biopsies()
    whole = set(records(stream))
    producer.send(len(stream))
    sent = read(log)
    unbroken = [
        value
        for key, value in zip(sent.keys or (), sent.values, strict=True)
        if key is not None and not producer.truth[key].broken
    ]
    assert len(set(unbroken)) == len(unbroken) == len(stream) - len(stream) // BROKEN_EVERY
    assert set(unbroken) <= whole


def test_the_truth_is_kept_by_key_and_not_sent() -> None:
    log = MemoryLog()
    producer = producer_on(log)
    _, stream = load_biopsies()
    diagnosis = dict(zip(records(stream), stream.diagnoses.tolist(), strict=True))
    producer.send(200)
    sent = read(log)
    for key, value in zip(sent.keys or (), sent.values, strict=True):
        assert key is not None
        assert producer.truth[key].diagnosis == diagnosis[value]
        assert b"benign" not in value
        assert b"malignant" not in value


def test_records_after_the_recalibration_are_measured_anew() -> None:
    log = MemoryLog()
    producer = producer_on(log)
    _, stream = load_biopsies()
    old = set(records(stream))
    producer.send(10)
    producer.recalibrated = True
    producer.send(10)
    assert all(value in old for value in read(log).values[:10])
    assert not any(value in old for value in read(log, 10).values)
    assert [sent.recalibrated for sent in producer.truth.values()] == [False] * 10 + [True] * 10


def test_one_record_of_many_is_broken_in_one_way_or_the_other() -> None:
    log = MemoryLog()
    producer = producer_on(log)
    producer.send(2 * BROKEN_EVERY)
    broken = [
        value
        for value, sent in zip(read(log).values, producer.truth.values(), strict=True)
        if sent.broken
    ]
    assert len(broken) == 2
    assert not broken[0].endswith(b"}")
    assert len(msgspec.json.decode(broken[1])) == 29


def test_it_sends_until_it_is_told_to_stop() -> None:
    log = MemoryLog()
    producer = producer_on(log)
    stop = threading.Event()
    thread = threading.Thread(target=producer.run, args=(stop,))
    thread.start()
    while len(producer.truth) < 20:
        stop.wait(0.001)
    stop.set()
    thread.join()
    assert len(read(log)) == len(producer.truth)
