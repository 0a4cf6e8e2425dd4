"""Ten thousand votes, each counted one by one: what a majority says of a batch is what it says of a record."""

import random
from collections import Counter
from typing import Literal

import numpy as np
import pytest

from modelstream.core.effects import Outcome
from modelstream.core.policies.base import Case, Reply, row_array
from modelstream.core.policies.majority import Majority
from modelstream.core.policies.single import Model
from modelstream.messages import Failure, VersionId

ROWS = 1_250
CLASSES = ("setosa", "versicolor", "virginica")
# What a member says of a record: a class, nothing (it abstains), or that it failed.
Vote = str | None | Failure
BROKEN = Failure("model_error", "no")


def counted(votes: list[Vote], quorum: int, tie: str) -> tuple[str, int, int] | str:
    """Count one record's votes: the label, its votes and the voters, or the reason why there is none."""
    given = [each for each in votes if isinstance(each, str)]
    if len(given) < quorum:
        return "no_consensus"
    counts = Counter(given)
    most = max(counts.values())
    leaders = [label for label in counts if counts[label] == most]
    if len(leaders) > 1 and tie == "reject":
        return "no_consensus"
    winner = next(each for each in given if each in leaders)
    return winner, most, len(given)


def outcome_of(votes: list[Vote]) -> Outcome:
    rows = [row for row, vote in enumerate(votes) if not isinstance(vote, Failure)]
    said = np.empty(len(rows), dtype=object)
    said[:] = [votes[row] for row in rows]
    failures = {row: vote for row, vote in enumerate(votes) if isinstance(vote, Failure)}
    return Outcome(rows, {"class": said}, failures, 1.0)


@pytest.mark.parametrize("tie", ["first", "reject"])
@pytest.mark.parametrize(("members", "quorum"), [(3, 2), (3, 3), (4, 2), (7, 4)])
def test_a_vote_is_what_counting_by_hand_gives(
    members: int, quorum: int, tie: Literal["first", "reject"]
) -> None:
    rng = random.Random(f"{members} {quorum} {tie}")
    names = [f"m{number}" for number in range(members)]
    said: dict[str, list[Vote]] = {
        name: rng.choices([*CLASSES, None, BROKEN], [5, 4, 4, 1, 1], k=ROWS) for name in names
    }
    versions = {name: VersionId(name, "1") for name in names}
    replies = {versions[name]: Reply([outcome_of(votes)]) for name, votes in said.items()}
    policy = Majority(tuple(map(Model, names)), quorum=quorum, tie=tie)
    decision = policy.decide(Case(ROWS, versions, replies), range(ROWS))
    assert not len(decision.waiting)
    found: dict[int, object] = {row: why.reason for row, why in decision.failures.items()}
    for piece in decision.pieces:
        columns = [column.tolist() for column in piece.columns.values()]
        found.update(zip(row_array(piece.rows).tolist(), zip(*columns, strict=True), strict=True))
    expected = {
        row: counted([said[name][row] for name in names], quorum, tie) for row in range(ROWS)
    }
    assert found == expected
    assert len(set(map(str, expected.values()))) > members, "votes of many kinds were cast"
