"""Random PMML expressions and records for them: missing, invalid and extreme values among them."""

from typing import Any

from hypothesis import strategies as st

from tests.support.pmml import column
from tests.support.pmml_reference import Row

FIELDS_OF_ALL = (
    '<DataField name="x" optype="continuous" dataType="double"/>'
    '<DataField name="y" optype="continuous" dataType="double"/>'
    '<DataField name="f" optype="continuous" dataType="float"/>'
    '<DataField name="k" optype="categorical" dataType="integer"/>'
    '<DataField name="b" optype="categorical" dataType="boolean"/>'
    '<DataField name="w" optype="categorical" dataType="string"/>'
)
NAMES = ("x", "y", "f", "k", "b", "w")
ARGUMENTS = {"number": ["x", "y", "f", "k"], "any": ["x", "y", "f", "k", "w"], "truth": ["b"]}
NUMBERS_OF_ONE = ["abs", "exp", "floor", "ceil", "round", "ln", "ln1p", "log10", "sqrt", "sin", "tanh", "expm1", "rint", "erf", "stdNormalCDF", "stdNormalIDF"]  # fmt: skip
NUMBERS_OF_TWO = ["+", "-", "*", "/", "pow", "hypot", "atan2", "modulo", "threshold"]
AGGREGATES = ["min", "max", "sum", "product", "avg", "median"]

VALUE = st.one_of(
    st.none(), st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.5, -0.5, 3.0, 1e308, -1e308, 800.0, 0.1]),
    st.floats(-50, 50),
)  # fmt: skip
ROW = st.fixed_dictionaries(
    {
        "x": VALUE,
        "y": VALUE,
        "f": st.one_of(VALUE, st.just("1.5")),
        "k": st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 2.5, "3", "three"])),
        "b": st.one_of(st.none(), st.sampled_from([True, False, "true", "maybe"])),
        "w": st.one_of(st.none(), st.sampled_from(["a", "b ", "", "1", "Ab"])),
    }
)


def columns_of(records: list[Row]) -> dict[str, Any]:
    """Return records as columns."""
    return {name: column([record[name] for record in records]) for name in records[0]}


def call(function: str, *arguments: str, **attributes: str) -> str:
    """Return a call of a function."""
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<Apply function="{function}"{declared}>{"".join(arguments)}</Apply>'


def ref(name: str) -> str:
    """Return a reference to a field."""
    return f'<FieldRef field="{name}"/>'


@st.composite
def truths(draw: st.DrawFn, depth: int = 2) -> str:
    """Return an expression of truth."""
    kind = draw(st.integers(0, 5 if depth else 3))
    if kind == 0:
        return ref("b")
    if kind == 1:
        function = draw(st.sampled_from(["isMissing", "isNotMissing", "isValid", "isNotValid"]))
        return call(function, ref(draw(st.sampled_from(NAMES))))
    if kind == 2:
        one, other = ref(draw(st.sampled_from(["x", "f"]))), draw(numbers(0))
        function = draw(st.sampled_from(["equal", "notEqual", "lessThan", "greaterOrEqual"]))
        return call(function, one, other)
    if kind == 3:
        members = [f'<Constant dataType="string">{word}</Constant>' for word in ("a", "Ab")]
        return call(draw(st.sampled_from(["isIn", "isNotIn"])), ref("w"), *members)
    if kind == 4:
        return call("not", draw(truths(depth - 1)))
    parts = [draw(truths(depth - 1)) for _ in range(draw(st.integers(2, 3)))]
    return call(draw(st.sampled_from(["and", "or"])), *parts)


@st.composite
def numbers(draw: st.DrawFn, depth: int = 3) -> str:
    """Return an expression of numbers."""
    kind = draw(st.integers(0, 9 if depth else 3))
    if kind == 3:
        return draw(tables())
    if kind <= 1:
        return ref(draw(st.sampled_from(ARGUMENTS["number"])))
    if kind == 2:
        return f'<Constant dataType="double">{draw(st.sampled_from(["0", "1.5", "-2"]))}</Constant>'
    return draw(calls(kind, depth))


@st.composite
def calls(draw: st.DrawFn, kind: int, depth: int) -> str:
    """Return a call of a function of numbers that gives a number."""
    extra: dict[str, str] = {}
    if draw(st.booleans()):
        extra = draw(
            st.sampled_from(
                [
                    {"defaultValue": "7"},
                    {"mapMissingTo": "-3"},
                    {"invalidValueTreatment": "asMissing"},
                ]
            )
        )
    inner = numbers(depth - 1)
    if kind <= 5:
        return call(draw(st.sampled_from(NUMBERS_OF_ONE)), draw(inner), **extra)
    if kind <= 7:
        return call(draw(st.sampled_from(NUMBERS_OF_TWO)), draw(inner), draw(inner), **extra)
    if kind == 8:
        parts = [draw(inner) for _ in range(draw(st.integers(1, 4)))]
        return call(draw(st.sampled_from(AGGREGATES)), *parts, **extra)
    return call("if", draw(truths()), draw(inner), draw(inner), **extra)


@st.composite
def tables(draw: st.DrawFn) -> str:
    """Return an expression that is a table."""
    missing = draw(st.sampled_from(["", ' mapMissingTo="9"']))
    kind = draw(st.integers(0, 3))
    if kind == 0:
        name, value = draw(st.sampled_from([("w", "a"), ("k", "1"), ("x", "0.5")]))
        return f'<NormDiscrete field="{name}" value="{value}"{missing}/>'
    if kind == 1:
        outliers = draw(st.sampled_from(["asIs", "asMissingValues", "asExtremeValues"]))
        return (
            f'<NormContinuous field="x" outliers="{outliers}"{missing}><LinearNorm orig="-1" '
            'norm="0"/><LinearNorm orig="0.5" norm="2"/><LinearNorm orig="3" norm="1"/>'
            "</NormContinuous>"
        )
    default = draw(st.sampled_from(["", ' defaultValue="-9"']))
    if kind == 2:
        return (
            f'<Discretize field="x" dataType="double"{missing}{default}>'
            '<DiscretizeBin binValue="1"><Interval closure="openClosed" rightMargin="0"/>'
            '</DiscretizeBin><DiscretizeBin binValue="2"><Interval closure="closedOpen" '
            'leftMargin="0.5" rightMargin="2.5"/></DiscretizeBin></Discretize>'
        )
    return (
        f'<MapValues outputColumn="o" dataType="double"{missing}{default}>'
        '<FieldColumnPair field="w" column="w"/><FieldColumnPair field="k" column="k"/>'
        "<InlineTable><row><w>a</w><k>1</k><o>11</o></row><row><w>Ab</w><k>2</k><o>12</o></row>"
        "</InlineTable></MapValues>"
    )
