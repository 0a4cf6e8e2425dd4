"""Transformations: constants, fields, tables, and functions that documents define."""

from typing import Any

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import (
    C,
    Y,
    derived,
    document,
    evaluate,
    load,
    output_of,
    plain,
    regression,
    score,
)


@pytest.mark.parametrize(
    ("constant", "value"),
    [
        ("<Constant>5</Constant>", 5.0),
        ("<Constant>5.0</Constant>", 5.0),
        ("<Constant>1e3</Constant>", 1000.0),
        ("<Constant>five</Constant>", "five"),
        ("<Constant>true</Constant>", "true"),
        ('<Constant dataType="string">5</Constant>', "5"),
        ('<Constant dataType="boolean">true</Constant>', True),
        ('<Constant dataType="double" missing="true"/>', None),
        ('<Constant dataType="double">NaN</Constant>', None),
        ('<Constant dataType="double">INF</Constant>', np.inf),
        ('<Constant dataType="double">-INF</Constant>', -np.inf),
        ('<Constant dataType="date">1970-01-02</Constant>', "1970-01-02"),
        ('<Constant dataType="dateTime">1970-01-02T00:00:01</Constant>', "1970-01-02T00:00:01"),
        ('<Constant dataType="time">23:59:59</Constant>', "23:59:59"),
    ],
)
def test_a_constant_has_its_declared_type_or_the_one_it_reads_as(constant: str, value: Any) -> None:
    assert plain(evaluate(constant, x=[1, 2])["out"]) == [value, value]


def test_a_missing_field_is_mapped() -> None:
    assert plain(evaluate('<FieldRef field="x" mapMissingTo="-1"/>', x=[1, None])["out"]) == [1, -1]
    assert plain(evaluate('<FieldRef field="x"/>', x=[1, None])["out"]) == [1, None]


def test_a_derived_field_may_hide_the_field_it_reads() -> None:
    twice = '<Apply function="*"><FieldRef field="x"/><Constant>2</Constant></Apply>'
    inner = derived(twice).replace('name="d"', 'name="x"')
    body = regression('<NumericPredictor name="x" coefficient="1"/>', inner)
    assert plain(score(document(body), x=[4])["_target"]) == [8.0]


def test_a_field_computed_from_itself_is_refused() -> None:
    loop = (
        '<LocalTransformations><DerivedField name="a" optype="continuous" dataType="double">'
        '<FieldRef field="b"/></DerivedField><DerivedField name="b" optype="continuous" '
        'dataType="double"><FieldRef field="a"/></DerivedField></LocalTransformations>'
    )
    with pytest.raises(InvalidModel, match="computed from itself"):
        load(document(regression('<NumericPredictor name="a" coefficient="1"/>', loop)))


def test_a_field_that_is_nowhere_is_named() -> None:
    with pytest.raises(InvalidModel, match="'nowhere'"):
        load(output_of('<FieldRef field="nowhere"/>'))


DEFINED = "<TransformationDictionary>{}</TransformationDictionary>"


def function(name: str, parameters: str, body: str, attributes: str = "") -> str:
    fields = "".join(f'<ParameterField name="{p}"/>' for p in parameters)
    return f'<DefineFunction name="{name}" optype="continuous" {attributes}>{fields}{body}</DefineFunction>'


def call(name: str, *arguments: str) -> str:
    return f'<Apply function="{name}">{"".join(arguments)}</Apply>'


def ref(name: str) -> str:
    return f'<FieldRef field="{name}"/>'


def test_a_defined_function_is_called_with_its_arguments() -> None:
    minus = function("less", "ab", call("-", ref("a"), ref("b")))
    expression = call("less", call("less", ref("x"), ref("y")), ref("y"))
    answers = evaluate(expression, transformations=DEFINED.format(minus), x=[10], y=[3])
    assert plain(answers["out"]) == [4.0]


def test_a_function_casts_what_it_takes_and_gives() -> None:
    body = call("concat", ref("a"), "<Constant>!</Constant>")
    text = function("t", "a", body, 'dataType="string"').replace(
        'name="a"/>', 'name="a" dataType="integer"/>', 1
    )
    answers = evaluate(call("t", ref("x")), transformations=DEFINED.format(text), x=[3.0])
    assert plain(answers["out"]) == ["3!"]


def test_a_function_must_be_called_with_as_many_arguments_as_it_takes() -> None:
    one = function("one", "a", ref("a"))
    with pytest.raises(InvalidModel, match="takes 1 arguments"):
        load(output_of(call("one", ref("x"), ref("x")), transformations=DEFINED.format(one)))


def test_a_function_that_calls_itself_is_refused() -> None:
    ping = function("ping", "a", call("pong", ref("a")))
    pong = function("pong", "a", call("ping", ref("a")))
    with pytest.raises(InvalidModel, match="calls itself"):
        load(output_of(call("ping", ref("x")), transformations=DEFINED.format(ping + pong)))


def test_functions_that_double_their_calls_are_refused() -> None:
    functions = function("f0", "a", ref("a"))
    for number in range(1, 40):
        previous = call(f"f{number - 1}", ref("a"))
        functions += function(f"f{number}", "a", call("+", previous, previous))
    with pytest.raises(InvalidModel, match=str(limits.PMML_CALLS_MAX)):
        load(output_of(call("f39", ref("x")), transformations=DEFINED.format(functions)))


def chain(length: int) -> str:
    """Return a field that stands on as many others."""
    fields = "".join(
        f'<DerivedField name="d{n}" optype="continuous" dataType="double">'
        f"{call('+', ref(f'd{n - 1}' if n else 'x'), '<Constant>1</Constant>')}</DerivedField>"
        for n in range(length)
    )
    return f"<LocalTransformations>{fields}</LocalTransformations>"


def test_fields_may_stand_on_each_other_up_to_a_limit() -> None:
    half = limits.PMML_EXPRESSION_DEPTH_MAX // 2 - 2
    term = f'<NumericPredictor name="d{half - 1}" coefficient="1"/>'
    assert plain(score(document(regression(term, chain(half))), x=[0])["_target"]) == [half]
    with pytest.raises(InvalidModel, match="nested deeper"):
        load(document(regression('<NumericPredictor name="d400" coefficient="1"/>', chain(401))))


def test_nested_calls_up_to_the_limit_run() -> None:
    depth = limits.PMML_EXPRESSION_DEPTH_MAX - 5
    expression = ref("x")
    for _ in range(depth):
        expression = call("+", expression, "<Constant>1</Constant>")
    assert plain(evaluate(expression, x=[0])["out"]) == [depth]
    for _ in range(50):
        expression = call("+", expression, "<Constant>1</Constant>")
    with pytest.raises(InvalidModel, match="nested deeper"):
        load(output_of(expression))


def test_strings_that_double_end_at_the_limit() -> None:
    fields = '<DerivedField name="s0" optype="categorical" dataType="string"><FieldRef field="c"/></DerivedField>'
    for number in range(1, 41):
        doubled = call("concat", ref(f"s{number - 1}"), ref(f"s{number - 1}"))
        fields += (
            f'<DerivedField name="s{number}" optype="categorical" dataType="string">{doubled}'
            "</DerivedField>"
        )
    inner = (
        f"<LocalTransformations>{fields}</LocalTransformations>"
        f'<Output><OutputField name="out" feature="transformedValue">{ref("s40")}</OutputField></Output>'
    )
    answers = score(document(regression(inner=inner, names=("c",)), C), c=["ab", None])
    assert answers.errors == {
        0: f"function 'concat' gives more than {limits.PMML_STRING_CHARS_MAX} characters"
    }


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ('<Lag field="x" n="1"/>', "Lag.*depend on the batch"),
        ('<Aggregate field="x" function="sum"/>', "Aggregate.*several records"),
        (call("+", ref("x"), "<Sum/>"), "Sum"),
        (call("ln", ref("x")).replace("ln", 'ln" invalidValueTreatment="asValue'), "asValue"),
    ],
)
def test_what_is_not_evaluated_is_refused_with_the_reason(element: str, reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        load(output_of(element))


def test_each_column_is_computed_once() -> None:
    body = regression(
        '<NumericPredictor name="d" coefficient="1"/><NumericPredictor name="d" coefficient="2"/>',
        derived(call("*", ref("x"), "<Constant>2</Constant>")),
    )
    assert plain(load(document(body)).score({"x": np.array([1.0])})["_target"]) == [6.0]
    assert Y not in body
