"""A field of strings gives for each row what its MiningSchema says, declared values or not."""

from typing import Any

import numpy as np
import pytest

from modelstream.formats import limits
from tests.support.pmml import document, load, plain, schema, score

WORDS = ("a", "b", "bad")
ROWS = 20  # more than are scored one by one


def indicators(mining: str = "", words: tuple[str, ...] = WORDS) -> bytes:
    """Return a network whose answer is 1 for "a", 2 for "b", 4 for "bad" of the declared words."""
    declared = "".join(f'<Value value="{word}"/>' for word in words)
    fields = (
        f'<DataField name="c" optype="categorical" dataType="string">{declared}</DataField>'
        '<DataField name="y" optype="continuous" dataType="double"/>'
    )
    inputs = "".join(
        f'<NeuralInput id="{word}"><DerivedField optype="continuous" dataType="double">'
        f'<NormDiscrete field="c" value="{word}"/></DerivedField></NeuralInput>'
        for word in WORDS
    )
    weights = zip(WORDS, (1, 2, 4), strict=True)
    connections = "".join(f'<Con from="{word}" weight="{weight}"/>' for word, weight in weights)
    active = schema("c", target="y").replace(
        '<MiningField name="c"/>', f'<MiningField name="c" {mining}/>'
    )
    return document(
        f'<NeuralNetwork functionName="regression" activationFunction="identity">{active}'
        f'<NeuralInputs>{inputs}</NeuralInputs><NeuralLayer><Neuron id="o">{connections}</Neuron>'
        '</NeuralLayer><NeuralOutputs><NeuralOutput outputNeuron="o">'
        '<DerivedField optype="continuous" dataType="double"><FieldRef field="y"/></DerivedField>'
        "</NeuralOutput></NeuralOutputs></NeuralNetwork>",
        fields,
    )


def repeated(*values: Any) -> list[Any]:
    """Return enough rows of some values for a batch of columns."""
    return list(values) * (ROWS // len(values) + 1)


@pytest.mark.parametrize(
    ("mining", "words", "answers"),
    [
        ("", WORDS, [1.0, 2.0, 4.0, None]),
        ("", (), [1.0, 2.0, 4.0, None]),
        ('missingValueReplacement="b"', WORDS, [1.0, 2.0, 4.0, 2.0]),
        ('invalidValueTreatment="asMissing"', ("a", "b"), [1.0, 2.0, None, None]),
        (
            'invalidValueTreatment="asMissing" missingValueReplacement="a"',
            ("a", "b"),
            [1.0, 2.0, 1.0, 1.0],
        ),
        (
            'invalidValueTreatment="asValue" invalidValueReplacement="b"',
            ("a", "b"),
            [1.0, 2.0, 2.0, None],
        ),
        ('invalidValueTreatment="asIs"', ("a", "b"), [1.0, 2.0, 4.0, None]),
    ],
)
def test_a_batch_of_any_values_is_treated_as_its_rows_are(
    mining: str, words: tuple[str, ...], answers: list[float | None]
) -> None:
    model = load(indicators(mining, words))
    given = ("a", "b", "bad", None)
    for chosen in ([0, 1], [0, 1, 3], [0, 1, 2, 3]):  # declared values alone, and others among them
        column = np.array(repeated(*(given[at] for at in chosen)), dtype=object)
        many = model.score({"c": column})["y"]
        assert plain(many) == repeated(*(answers[at] for at in chosen))
        alone = [model.score({"c": column[row : row + 1]})["y"] for row in range(len(column))]
        assert plain(np.concatenate(alone)) == plain(many)


@pytest.mark.parametrize("bad", ["bad", 5, ["a"], True])
def test_a_value_that_is_not_valid_rejects_its_row_alone(bad: Any) -> None:
    column = np.empty(ROWS, dtype=object)
    column[:] = "b"
    column[3] = bad
    answers = load(indicators("", ("a", "b"))).score({"c": column})
    assert set(answers.errors) == {3}
    assert plain(answers["y"]) == [None if row == 3 else 2.0 for row in range(ROWS)]


def test_a_missing_value_rejects_its_row_where_it_must_not_be() -> None:
    answers = score(
        indicators('missingValueTreatment="returnInvalid"'), c=repeated("a", None, "bad")
    )
    assert set(answers.errors) == set(range(1, len(answers["y"]), 3))
    assert plain(answers["y"])[:3] == [1.0, None, 4.0]


def test_one_batch_after_the_other_is_looked_up_right() -> None:
    model = load(indicators())
    for words, answers in (("ab", [1.0, 2.0]), ("ba", [2.0, 1.0]), ("xa", [None, 1.0])):
        column = np.array(repeated(*words), dtype=object)
        assert plain(model.score({"c": column})["y"]) == repeated(*answers)


def test_more_declared_values_than_are_known_beforehand_do_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "PMML_LASTING_VALUES_MAX", 1)
    found = score(indicators(), c=repeated("a", "b", "bad", None))
    assert plain(found["y"]) == repeated(1.0, 2.0, 4.0, None)
