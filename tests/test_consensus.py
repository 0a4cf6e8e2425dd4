"""Three real models that disagree, and what becomes of their votes."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import modelstream as ms
from modelstream.policies import FirstWithin, Majority, Policy
from modelstream.wire.lineage import decided_of

pytestmark = pytest.mark.speculation
VOTERS = {
    "tree": "winequalityDecisionTreeClassification",
    "forest": "winequalityRandonForrestClassification",
    "network": "winequalityMultilayerPerceptron",
}
FIELDS = (
    *("fixed acidity", "volatile acidity", "citric acid", "residual sugar", "chlorides"),
    *("free sulfur dioxide", "total sulfur dioxide", "density", "pH", "sulphates", "alcohol"),
)


@pytest.fixture
def wines(shared_data: Path) -> list[dict[str, Any]]:
    lines = (shared_data / "wine/winequality_red.csv").read_text().splitlines()
    rows = [[float(value) for value in line.split(";")] for line in lines]
    return [dict(zip(FIELDS, row, strict=False)) for row in rows]


@pytest.fixture
def voters(shared_data: Path) -> list[tuple[str, Path]]:
    return [(name, shared_data / "wine" / f"{file}.pmml") for name, file in VOTERS.items()]


def answered(
    wines: list[dict[str, Any]], voters: list[tuple[str, Path]], policy: Policy | None
) -> list[ms.Result]:
    outcomes = list(ms.join(wines, voters, answer=policy, echo=False))
    assert all(isinstance(each, ms.Result) for each in outcomes)
    return [each for each in outcomes if isinstance(each, ms.Result)]


def label(result: ms.Result) -> Any:
    return next(iter(dict(result.outputs).values()))


def test_the_majority_of_real_models_is_that_of_a_plain_count(
    wines: list[dict[str, Any]], voters: list[tuple[str, Path]]
) -> None:
    alone = [[label(each) for each in answered(wines, [voter], None)] for voter in voters]
    votes = list(zip(*alone, strict=True))
    assert sum(len(set(each)) == 2 for each in votes) > 0, "two against one"
    policy = Majority([name for name, _ in voters])  # type: ignore[arg-type]
    together = answered(wines, voters, policy)
    for said, result in zip(votes, together, strict=True):
        counted = Counter(said)
        most = max(counted.values())
        winner = next(each for each in said if counted[each] == most)
        assert result.outputs["label"] == winner
        # The third is not waited for once two agree.
        assert (
            result.outputs["votes"] in {most, 2} if most == 3 else result.outputs["votes"] == most
        )


def test_the_result_tells_every_vote(
    wines: list[dict[str, Any]], voters: list[tuple[str, Path]]
) -> None:
    policy = FirstWithin(60_000, [Majority([name for name, _ in voters]), "tree"])  # type: ignore[arg-type]
    (result, *_) = answered(wines[:1], voters, policy)
    told = decided_of(result.decided)  # type: ignore[arg-type]
    assert [each.name for each in told.candidates] == ["tree", "forest", "network"]
    assert told.plan.policy.startswith("FirstWithin(60000, prefer=[Majority(")
    assert result.model.name == "plan"
