import msgspec
import numpy as np

from modelstream.demo.world import load_biopsies, recalibrated, records


def test_no_patient_both_trains_and_streams() -> None:
    train, stream = load_biopsies()
    assert len(train) + len(stream) == 569
    seen = {row.tobytes() for row in train.measurements}
    assert not any(row.tobytes() in seen for row in stream.measurements)


def test_both_halves_are_the_same_every_time() -> None:
    for first, second in zip(load_biopsies(), load_biopsies(), strict=True):
        assert np.array_equal(first.measurements, second.measurements)
        assert np.array_equal(first.diagnoses, second.diagnoses)


def test_the_recalibration_doubles_lengths_and_leaves_the_rest() -> None:
    before, _ = load_biopsies()
    after = recalibrated(before)
    factors = after.measurements[0] / before.measurements[0]
    told = dict(zip(before.names, factors.tolist(), strict=True))
    assert told["mean_radius"] == told["worst_perimeter"] == 2.0
    assert told["area_error"] == 4.0
    assert told["mean_texture"] == told["worst_symmetry"] == 1.0
    assert sorted(told.values()) == [1.0] * 21 + [2.0] * 6 + [4.0] * 3


def test_a_record_holds_the_measurements_and_not_the_diagnosis() -> None:
    _, stream = load_biopsies()
    first = msgspec.json.decode(records(stream)[0])
    assert list(first) == list(stream.names)
    assert list(first.values()) == stream.measurements[0].tolist()
    assert "diagnosis" not in first
