"""Files of records: appended to a topic, or scored without any log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelstream.cli.sending import Pace
from modelstream.limits import RECORD_BYTES_MAX
from tests.support.artifacts import adder
from tests.support.commands import Run
from tests.support.flows import Rig
from tests.support.graphs import linear


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "plus.onnx"
    path.write_bytes(adder(1.0))
    return path


def test_records_are_sent_as_they_are_in_order(run: Run, rig: Rig, flow: Path) -> None:
    file = flow.parent / "some.jsonl"
    file.write_bytes(b'{"x":1.50}\nnot json\n{"x":2}\n')
    ran = run("send", flow, file)
    assert (ran.code, ran.out, ran.err) == (0, "sent 3 records to wine.records\n", "")
    batch = rig.log.read("wine.records", 0, 0, 10, 1 << 20)
    assert batch.values == [b'{"x":1.50}', b"not json", b'{"x":2}']
    assert batch.keys is None


def test_records_are_sent_with_a_field_as_their_key(
    run: Run, rig: Rig, flow: Path, records: Path
) -> None:
    assert run("send", flow, records, "--key", "id").code == 0
    assert rig.log.read("wine.records", 0, 0, 10, 1 << 20).keys == [b"a", b"b", b"c"]


def test_a_line_that_cannot_be_sent_is_told_and_the_others_go_on(
    run: Run, rig: Rig, flow: Path
) -> None:
    file = flow.parent / "some.jsonl"
    file.write_text('{"id":1}\n{}\n"' + "x" * RECORD_BYTES_MAX + '"\n{"id":4}\n')
    ran = run("send", flow, file, "--key", "id")
    assert ran.code == 1
    assert ran.out == "sent 2 records to wine.records, 2 lines refused\n"
    first, second = ran.err.splitlines()
    assert first.startswith(f"{file}:2: no key in field 'id'")
    assert second.startswith(f"{file}:3: too long")


def test_csv_is_sent_as_json(run: Run, rig: Rig, flow: Path) -> None:
    file = flow.parent / "some.csv"
    file.write_text("a;b;zip\n1;x;8001\n2;;8002\n3;y\n")
    ran = run("send", flow, file, "--delimiter", ";", "--strings", "zip")
    assert ran.code == 1
    assert ran.err == f"{file}:4: 2 values where there are 3 columns\n"
    values = rig.log.read("wine.records", 0, 0, 10, 1 << 20).values
    assert values == [b'{"a":1,"b":"x","zip":"8001"}', b'{"a":2,"zip":"8002"}']


def test_tabs_part_the_values_of_a_tsv_file(run: Run, rig: Rig, flow: Path) -> None:
    file = flow.parent / "some.tsv"
    file.write_text("a\tb\n1\t2\n")
    assert run("send", flow, file).code == 0
    assert rig.log.read("wine.records", 0, 0, 10, 1 << 20).values == [b'{"a":1,"b":2}']


def test_an_option_of_csv_makes_any_file_one(run: Run, rig: Rig, flow: Path) -> None:
    file = flow.parent / "some.data"
    file.write_text("1,2\n")
    assert run("send", flow, file, "--columns", "a,b").code == 0
    assert rig.log.read("wine.records", 0, 0, 10, 1 << 20).values == [b'{"a":1,"b":2}']


def test_a_topic_must_be_said_where_there_are_several(run: Run, flow: Path, records: Path) -> None:
    flow.write_text('name = "f"\n[records]\nred = "red"\nwhite = "white"\n')
    ran = run("send", flow, records)
    assert (ran.code, "red, white; say which one with --topic" in ran.err) == (2, True)
    ran = run("send", flow, records, "--topic", "rose")
    assert (ran.code, "'rose' is none of them" in ran.err) == (2, True)
    ran = run("send", flow, records, "--topic", "white")
    assert ran.out == "sent 3 records to white\n"


def test_records_are_sent_at_a_rate_in_full(run: Run, rig: Rig, flow: Path, records: Path) -> None:
    assert run("send", flow, records, "--rate", "1000").out == "sent 3 records to wine.records\n"
    assert rig.log.bounds("wine.records", 0) == (0, 3)


class WoundClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def parts(pace: Pace, *counts: int) -> Iterator[slice]:
    for count in counts:
        yield from pace.parts(count)


def test_a_rate_is_kept_across_chunks() -> None:
    clock = WoundClock()
    pace = Pace(50.0, clock, clock.sleep)
    assert [part.stop - part.start for part in parts(pace, 12, 1, 10)] == [5, 5, 2, 1, 5, 5]
    assert clock.now == pytest.approx(100.0 + 18 / 50), "the last five need no further wait"


def test_a_slow_rate_sends_one_by_one() -> None:
    clock = WoundClock()
    list(parts(Pace(0.5, clock, clock.sleep), 3))
    assert clock.slept == [2.0, 2.0]


def test_without_a_rate_nothing_waits() -> None:
    clock = WoundClock()
    assert list(parts(Pace(None, clock, clock.sleep), 3, 0)) == [slice(0, 3)]
    assert clock.slept == []


def test_each_answered_record_is_printed_beside_its_outputs(
    run: Run, model: Path, records: Path
) -> None:
    ran = run("score", model, records)
    assert ran.code == 1
    assert ran.json_lines() == [
        {"outputs": {"score": 2.0}, "record": {"id": "a", "x": 1}},
        {"outputs": {"score": 4.0}, "record": {"id": "c", "x": 3}},
    ]
    assert ran.err.startswith(f"{records}:2: missing_field: ")
    assert len(ran.err.splitlines()) == 1


def test_a_file_whose_every_record_is_answered_is_fine(
    run: Run, model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("x\n1\n2\n")
    ran = run("score", model, file)
    assert (ran.code, ran.err) == (0, "")
    assert [line["outputs"] for line in ran.json_lines()] == [{"score": 2.0}, {"score": 3.0}]


def test_a_value_that_is_no_number_fails_alone(run: Run, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("x\n1\nn/a\n3\n")
    ran = run("score", model, file, "--numbers", "x")
    assert ran.code == 1
    assert [line["record"] for line in ran.json_lines()] == [{"x": 1}, {"x": 3}]
    assert f"{file}:3: wrong_type" in ran.err


def test_the_order_of_features_can_be_told(run: Run, tmp_path: Path) -> None:
    model, file = tmp_path / "linear.onnx", tmp_path / "some.jsonl"
    model.write_bytes(linear())
    file.write_text('{"a":1,"b":2}\n')
    (line,) = run("score", model, file, "--features", "b,a").json_lines()
    assert line["outputs"] == {"y": 12.0}


def test_no_log_is_made_to_score(run: Run, model: Path, records: Path) -> None:
    run("score", model, records)
    assert {path.name for path in records.parent.iterdir()} == {"plus.onnx", "records.jsonl"}


def test_records_are_keyed_by_their_data_type_where_that_has_an_owner(run: Run, flow: Path) -> None:
    flow.write_text('name = "wine"\npartition_by = "data_type"\ndata_type_field = "kind"\n')
    file = flow.parent / "some.jsonl"
    file.write_text('{"kind":"red"}\n{"kind":"white"}\n')
    assert run("send", flow, file).code == 0
    told = run("tail", flow, "--topic", "records").out
    assert "  red  " in told
    assert "  white  " in told
    flow.write_text('name = "beer"\npartition_by = "data_type"\n')
    assert run("send", flow, file).code == 0
    assert run("tail", flow, "--topic", "records").out.count("  beer  ") == 2
