"""Predicates on ordinal fields: their values have the order in which they are declared."""

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from tests.support.pmml import document, load, plain, schema, score

SIZES = ("small", 'so-"so"', "large")
FIELD = (
    '<DataField name="s" optype="{}" dataType="string">'
    + "".join(f"<Value value='{value}'/>" for value in SIZES)
    + "</DataField>"
)
Y = '<DataField name="y" optype="continuous" dataType="double"/>'


def tree(operator: str, value: str, *, optype: str = "ordinal", field: str = FIELD) -> bytes:
    """Return a tree that answers 1 where a predicate is true, and 0 where it is false."""
    predicate = f"<SimplePredicate field='s' operator='{operator}' value='{value}'/>"
    body = (
        f'<TreeModel functionName="regression" missingValueStrategy="nullPrediction">'
        f'{schema("s", target="y")}<Node score="0"><True/><Node score="1">{predicate}</Node>'
        '<Node score="0"><True/></Node></Node></TreeModel>'
    )
    return document(body, field.format(optype) + Y)


def selection(operator: str, value: str) -> bytes:
    """Return the same as a choice of models, whose predicates are computed as columns."""
    predicate = f"<SimplePredicate field='s' operator='{operator}' value='{value}'/>"

    def segment(test: str, answer: int) -> str:
        return (
            f'<Segment>{test}<RegressionModel functionName="regression">{schema("s", target="y")}'
            f'<RegressionTable intercept="{answer}"/></RegressionModel></Segment>'
        )

    absent = '<SimplePredicate field="s" operator="isNotMissing"/>'
    body = (
        f'<MiningModel functionName="regression">{schema("s", target="y")}'
        f'<Segmentation multipleModelMethod="selectFirst">{segment(predicate, 1)}'
        f"{segment(absent, 0)}</Segmentation></MiningModel>"
    )
    return document(body, FIELD.format("ordinal") + Y)


@pytest.mark.parametrize(
    ("operator", "answers"),
    [
        ("lessThan", [1, 0, 0, None]),
        ("lessOrEqual", [1, 1, 0, None]),
        ("greaterThan", [0, 0, 1, None]),
        ("greaterOrEqual", [0, 1, 1, None]),
        ("equal", [0, 1, 0, None]),
        ("notEqual", [1, 0, 1, None]),
    ],
)
def test_ordinals_are_compared_by_their_declared_order(
    operator: str, answers: list[float | None]
) -> None:
    given = [*SIZES, None]
    assert plain(score(tree(operator, SIZES[1]), s=given)["y"]) == answers
    assert plain(score(selection(operator, SIZES[1]), s=given)["y"]) == answers


def test_no_value_is_below_the_first_or_above_the_last() -> None:
    assert plain(score(tree("lessThan", "small"), s=SIZES)["y"]) == [0, 0, 0]
    assert plain(score(tree("greaterThan", "large"), s=SIZES)["y"]) == [0, 0, 0]
    assert plain(score(selection("lessThan", "small"), s=SIZES)["y"]) == [0, 0, 0]


def test_numbers_of_an_ordinal_field_have_the_declared_order_too() -> None:
    values = "".join(f'<Value value="{value}"/>' for value in (3, 1, 2))
    field = f'<DataField name="s" optype="ordinal" dataType="integer">{values}</DataField>'
    assert plain(score(tree("lessOrEqual", "1", field=field), s=[3, 1, 2])["y"]) == [1, 1, 0]


def test_numbers_in_their_natural_order_are_compared_as_numbers() -> None:
    values = "".join(f'<Value value="{value}"/>' for value in (1, 2, 3))
    field = f'<DataField name="s" optype="ordinal" dataType="integer">{values}</DataField>'
    assert plain(score(tree("lessOrEqual", "2.5", field=field), s=[1, 2, 3])["y"]) == [1, 1, 0]


def test_an_order_is_asked_for_declared_values_only() -> None:
    with pytest.raises(InvalidModel, match="'huge' is not one of its values"):
        load(tree("lessThan", "huge"))


def test_strings_without_an_order_are_not_compared() -> None:
    with pytest.raises(UnsupportedModel, match="ordinal field"):
        load(tree("lessThan", "small", optype="categorical"))
    bare = '<DataField name="s" optype="ordinal" dataType="string"/>'
    with pytest.raises(UnsupportedModel, match="ordinal field"):
        load(tree("lessThan", "small", field=bare))
