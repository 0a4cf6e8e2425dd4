"""Rules of a release: how they are read, when they hold, and what follows."""

from typing import Any

import msgspec
import pytest

from modelstream.core.policies.text import policy_text
from modelstream.core.release import check_release, figure_of, judge, parse_rule, policy_at
from modelstream.errors import InvalidFlow
from modelstream.events import Figures, Measured, Reach, Released
from modelstream.messages import VersionId

RELEASED = Released(
    data_type="wine",
    name="forest",
    version="2",
    champion=VersionId("forest", "1"),
    steps=(0.0, 0.1),
    every=100,
    promote="accuracy + 0.01 over 500 labels",
    roll_back="errors > 1 % or p99 > 20 ms",
    step=0,
    state="started",
    source=0,
    at_ms=0,
)


def figures(version: str = "2", **told: Any) -> Figures:
    return msgspec.structs.replace(Figures(name="forest", version=version), **told)


def measured(*versions: Figures) -> Measured:
    return Measured(
        data_type="wine",
        window=0,
        began_ms=0,
        since=Reach(),
        until=Reach(),
        versions=versions,
        source=1,
        at_ms=1,
    )


@pytest.mark.parametrize(
    ("rule", "candidate", "champion", "holds"),
    [
        ("errors > 1 %", {"records": 1000, "failures": 11}, {}, "errors > 1 %"),
        ("errors > 1 %", {"records": 1000, "failures": 10}, {}, ""),
        ("errors >= 1%", {"records": 1000, "failures": 10}, {}, "errors >= 1%"),
        ("errors > 1 %", {"records": 99, "failures": 50}, {}, ""),  # too few to tell
        ("errors > 1 % over 10 records", {"records": 99, "failures": 50}, {}, "yes"),
        ("late < 1 %", {"records": 100, "late": 0}, {}, "yes"),
        ("late <= 1 %", {"records": 100, "late": 1}, {}, "yes"),
        ("late <= 1 %", {"records": 100, "late": 2}, {}, ""),
        ("p99 > 20 ms", {"records": 100, "p99_ms": 20.1}, {}, "yes"),
        ("p50 > 20 ms", {"records": 100, "p50_ms": 20.0}, {}, ""),
        ("p99 > 20 ms", {"records": 100}, {}, ""),
        ("records > 5", {"records": 6}, {}, "yes"),
        ("labels >= 2 over 1 records", {"records": 1, "labels": 2}, {}, "yes"),
        ("accuracy > 0.9", {"labels": 100, "metrics": {"accuracy": 0.91}}, {}, "yes"),
        ("accuracy > 0.9", {"labels": 99, "metrics": {"accuracy": 0.91}}, {}, ""),
        ("accuracy > 0.9 and p99 < 5 ms", {"labels": 100, "records": 100, "p99_ms": 9}, {}, ""),
        (
            "auc + 0.01 over 5,000 labels",
            {"labels": 5000, "metrics": {"auc": 0.75}},
            {"labels": 5000, "metrics": {"auc": 0.5}},
            "auc + 0.01 over 5,000 labels",
        ),
        (
            "auc + 0.01 over 5,000 labels",
            {"labels": 5000, "metrics": {"auc": 0.75}},
            {"labels": 4999, "metrics": {"auc": 0.5}},
            "",
        ),
        (
            "rmse - 0.5",
            {"labels": 100, "metrics": {"rmse": 1.0}},
            {"labels": 100, "metrics": {"rmse": 1.5}},
            "yes",
        ),
        (
            "rmse - 0.5",
            {"labels": 100, "metrics": {"rmse": 1.1}},
            {"labels": 100, "metrics": {"rmse": 1.5}},
            "",
        ),
        ("agreement < 99 %", {"records": 100, "metrics": {"agreement": 0.5}}, {}, "yes"),
        ("", {"records": 100}, {}, ""),
        ("errors > 1 % or late > 1 %", {"records": 100, "late": 2}, {}, "late > 1 %"),
    ],
)
def test_a_rule_holds_where_it_can_be_told(
    rule: str, candidate: dict[str, Any], champion: dict[str, Any], holds: str
) -> None:
    found = parse_rule(rule).holds(figures(**candidate), figures("1", **champion))
    assert bool(found) == bool(holds)
    if holds not in {"", "yes"}:
        assert found == holds


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("errors", "cannot be read at 'errors'"),
        ("errors > 1 % and", "cannot be read at ''"),
        ("errors > 1 ms", "errors is not in ms"),
        ("p99 > 20", "p99 is in ms"),
        ("auc + 0.1 over 5 clicks", "cannot be read"),
    ],
)
def test_a_rule_that_is_none_is_told(rule: str, told: str) -> None:
    with pytest.raises(InvalidFlow, match=told):
        parse_rule(rule)


@pytest.mark.parametrize(
    ("steps", "every", "told"),
    [
        ((), 1, "1 to 20 steps"),
        ((0.1, 0.1), 1, "each above the last"),
        ((-0.1,), 1, "from 0"),
        ((0.5, 1.0), 1, "below 1"),
        ((float("nan"),), 1, "shares"),
        ((0.5,), 0, "from 1 up"),
    ],
)
def test_a_release_that_cannot_be_is_told(steps: tuple[float, ...], every: int, told: str) -> None:
    with pytest.raises(InvalidFlow, match=told):
        check_release(steps, every, "", "")


def test_a_step_is_a_plan() -> None:
    assert policy_text(policy_at(RELEASED)) == 'Shadow("forest@1", also=["forest@2"])'
    second = msgspec.structs.replace(RELEASED, step=1)
    assert policy_text(policy_at(second)) == (
        'Split({"forest@1": 0.9, "forest@2": 0.1}, salt="forest@2")'
    )


def test_a_step_is_taken_back_taken_further_or_kept() -> None:
    few, many = figures(records=99), figures(records=100)
    assert judge(RELEASED, measured()) is None
    assert judge(RELEASED, measured(few)) is None
    stepped = judge(RELEASED, measured(many))
    assert stepped is not None
    assert stepped.state == "stepped"
    assert stepped.because == "100 records, 100 are enough"
    bad = figures(records=100, failures=2)
    back = judge(RELEASED, measured(bad, figures("1", records=7)))
    assert back is not None
    assert (back.state, back.because) == ("rolled_back", "errors > 1 %")
    assert [each.version for each in back.evidence] == ["2", "1"]


def test_the_last_step_ends_by_the_rule_or_where_none_is_by_time() -> None:
    last = msgspec.structs.replace(RELEASED, step=1)
    champion = figures("1", records=900, labels=900, metrics={"accuracy": 0.5})
    better = figures(records=600, labels=500, metrics={"accuracy": 0.6})
    few = figures(records=99, labels=500, metrics={"accuracy": 0.6})
    worse = figures(records=600, labels=500, metrics={"accuracy": 0.5})
    assert judge(last, measured(worse, champion)) is None
    assert judge(last, measured(few, champion)) is None, "the last step is as long as the others"
    found = judge(last, measured(better, champion))
    assert found is not None
    assert found.state == "promoted"
    without = msgspec.structs.replace(last, promote="")
    assert judge(without, measured(figures(records=99))) is None
    found = judge(without, measured(figures(records=100)))
    assert found is not None
    assert found.state == "promoted"


def test_a_figure_nobody_told_is_not_known() -> None:
    assert figure_of(figures(), "errors") is None
    assert figure_of(figures(), "late") is None
    assert figure_of(figures(), "auc") is None
