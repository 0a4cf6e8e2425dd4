"""What is counted of one version, and of each candidate that a result tells of."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.messages import ModelNamed, VersionId
from modelstream.quality.tally import Tally
from modelstream.quality.told import Told, said_of, told_by
from modelstream.stored import Stored, StoredReject, StoredResult, StoredStamp

ONE, TWO, THREE = (VersionId("m", each) for each in "123")


def result(decided: object = msgspec.UNSET) -> StoredResult:
    told = msgspec.UNSET if decided is msgspec.UNSET else msgspec.Raw(msgspec.json.encode(decided))
    return StoredResult(
        outputs=msgspec.Raw(b'{"y":1}'),
        model=StoredStamp("m", "1", "0" * 64, 0, 12.0),
        data_type="wine",
        topic="wine",
        partition=0,
        offset=0,
        timestamp=0,
        decided=told,
    )


def reject(reason: str, version: str = "") -> Stored:
    return StoredReject(
        reason=reason,  # type: ignore[arg-type]
        detail="",
        data_type="wine",
        as_of=0,
        topic="wine",
        partition=0,
        offset=0,
        timestamp=0,
        value=b"",
        value_bytes=0,
        model=ModelNamed("m", version) if version else msgspec.UNSET,
    )


def test_a_plain_result_tells_of_one() -> None:
    assert told_by(result()) == [Told(ONE, {"y": 1}, failed=False, took_us=12.0)]


def test_a_decided_result_tells_of_each_candidate() -> None:
    candidate = {"name": "m", "digest": "", "took_us": 3.0}
    decided = {
        "plan": {"version": "1", "digest": "", "policy": ""},
        "candidates": [
            candidate | {"version": "1", "outputs": {"y": 1}},
            candidate | {"version": "2", "failure": ["model_error", "no"]},
            candidate | {"version": "3", "late": True},
        ],
    }
    assert [(each.version, each.outputs, each.failed) for each in told_by(result(decided))] == [
        (ONE, {"y": 1}, False),
        (TWO, None, True),
        (THREE, None, False),
    ]
    assert said_of(result(decided)) == {ONE: {"y": 1}}


@pytest.mark.parametrize(
    ("outcome", "count"),
    [
        (reject("model_error", "1"), 1),
        (reject("missing_field", "1"), 1),
        (reject("not_json", "1"), 0),
        (reject("no_model"), 0),
    ],
)
def test_a_reject_tells_of_the_version_that_failed(outcome: Stored, count: int) -> None:
    assert [each.failed for each in told_by(outcome)] == [True] * count


def test_figures_are_what_was_counted() -> None:
    tally = Tally()
    for outputs, failed in (({"y": 1.0}, False), (None, True), (None, False)):
        tally.add(Told(ONE, outputs, failed=failed, took_us=1000.0))
    tally.compare({"y": 1.0}, {"y": 1})
    tally.compare({"y": 1.0}, {"y": 2})
    tally.label(2.0, {"y": 1.0})
    figures = tally.figures(ONE)
    assert (figures.records, figures.failures, figures.late, figures.labels) == (3, 1, 1, 1)
    assert figures.metrics == {"mae": 1.0, "rmse": 1.0, "agreement": 0.5}
    assert Tally().figures(ONE).p99_ms is None


@given(st.lists(st.floats(1, 9e7), min_size=1, max_size=200), st.sampled_from([50, 99]))
def test_a_quantile_is_right_to_a_step(took_us: list[float], percent: int) -> None:
    tally = Tally()
    for each in took_us:
        tally.add(Told(ONE, {}, failed=False, took_us=each))
    exact = float(np.percentile(took_us, percent, method="inverted_cdf")) / 1000
    told = tally.figures(ONE)
    found = told.p50_ms if percent == 50 else told.p99_ms
    assert found is not None
    assert exact * 0.99 <= found <= exact * 1.05
