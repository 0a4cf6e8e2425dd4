"""Answer policies."""

import numpy as np

from modelstream.core.effects import Outcome
from modelstream.core.policy import Latest
from modelstream.messages import Failure, VersionId

A = VersionId("a", "1")


def test_latest_asks_the_current_version_alone() -> None:
    assert Latest().ask(A) == (A,)


def test_latest_waits_for_its_outcome() -> None:
    assert Latest().decide((A,), {}) is None


def test_latest_takes_the_outcome_as_it_is() -> None:
    columns = {"y": np.array([1.0, 2.0])}
    failure = Failure("invalid_value", "no")
    decision = Latest().decide((A,), {A: Outcome([0, 2], columns, {1: failure}, 5.0)})
    assert decision is not None
    (verdict,) = decision.verdicts
    assert (verdict.version, list(verdict.rows), verdict.took_us) == (A, [0, 2], 5.0)
    assert verdict.columns is columns
    assert decision.failures == {1: failure}


def test_latest_has_no_verdict_where_every_row_failed() -> None:
    decision = Latest().decide((A,), {A: Outcome([], {}, {0: Failure("not_json", "no")}, 0.0)})
    assert decision is not None
    assert decision.verdicts == ()
