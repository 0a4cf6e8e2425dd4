"""Questions of a vocabulary: as cheap as can be, and right for every value."""

import string

from hypothesis import given
from hypothesis import strategies as st

from modelstream.formats.pmml.fields.values import Scalar
from modelstream.formats.pmml.trees.decisions import Asked
from modelstream.formats.pmml.trees.vocabulary import Vocabulary, nested
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL, MEMBER

VALUES = list(string.ascii_lowercase[:7])
SETS = st.frozensets(st.sampled_from(VALUES))


def holds(asked: Asked, code: float) -> bool:
    """Answer a question as the kernel does."""
    question = asked.question
    if question.mode == MEMBER:
        answer = code in question.members
    else:
        answer = code == question.split if question.mode == EQUAL else code <= question.split
    return answer != asked.negated


@given(st.permutations(VALUES), SETS)
def test_a_set_holds_its_values_and_no_others(order: list[str], wanted: frozenset[str]) -> None:
    vocabulary = Vocabulary("f", order)
    asked = vocabulary.is_in(0, wanted)
    for value in VALUES:
        assert holds(asked, vocabulary.codes[value]) == (value in wanted)


@given(st.permutations(VALUES), SETS)
def test_a_set_and_its_complement_are_one_question(order: list[str], some: frozenset[str]) -> None:
    vocabulary = Vocabulary("f", order)
    one, other = vocabulary.is_in(0, some), vocabulary.is_in(0, set(VALUES) - some)
    if some and len(some) < len(VALUES):
        assert one.question == other.question
        assert one.negated != other.negated


@given(st.permutations(VALUES), st.lists(st.tuples(st.integers(1, 6), st.booleans())))
def test_sets_that_are_nested_are_comparisons(
    order: list[Scalar], cuts: list[tuple[int, bool]]
) -> None:
    sets = [frozenset(order[:cut] if front else order[cut:]) for cut, front in cuts]
    vocabulary = Vocabulary("f", nested(VALUES, sets))
    assert sorted(map(str, vocabulary.codes)) == VALUES
    for each in sets:
        asked = vocabulary.is_in(0, each)
        assert asked.question.mode == LESS_OR_EQUAL
        assert all(holds(asked, vocabulary.codes[v]) == (v in each) for v in VALUES)


def test_sets_that_are_not_nested_leave_the_order() -> None:
    sets = [frozenset("ab"), frozenset("bc"), frozenset("ac")]
    assert nested(VALUES, sets) == VALUES


def test_an_open_vocabulary_numbers_values_as_they_are_met() -> None:
    vocabulary = Vocabulary("f")
    assert vocabulary.is_in(3, ["x", "y"]).question.members == (0.0, 1.0)
    asked = vocabulary.equals(3, "z")
    assert (asked.question.mode, asked.question.split, asked.negated) == (EQUAL, 2.0, False)


def test_a_value_that_is_not_declared_equals_none_that_is() -> None:
    vocabulary = Vocabulary("f", VALUES)
    asked = vocabulary.equals(0, "not declared")
    assert not any(holds(asked, vocabulary.codes[value]) for value in VALUES)
    assert not any(holds(vocabulary.is_in(0, ["nor this"]), vocabulary.codes[v]) for v in VALUES)
