"""Support vector machines against the standard's formulas, one vector at a time."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import C, X, Y, document, lower, plain, schema, score

Z = '<DataField name="z" optype="continuous" dataType="double"/>'
KIND = (
    '<DataField name="kind" optype="categorical" dataType="string">'
    '<Value value="a"/><Value value="b"/><Value value="c"/></DataField>'
)
DICTIONARY = (
    "<VectorDictionary><VectorFields>"
    '<FieldRef field="x"/><CategoricalPredictor name="c" value="on" coefficient="1"/>'
    '<FieldRef field="z"/></VectorFields>'
    '<VectorInstance id="v1"><Array type="real">1 0 2</Array></VectorInstance>'
    '<VectorInstance id="v2"><REAL-SparseArray n="3"><Indices>3 1</Indices>'
    "<REAL-Entries>-0.5 2</REAL-Entries></REAL-SparseArray></VectorInstance>"
    '<VectorInstance id="v3"><REAL-SparseArray n="3" defaultValue="0.5"><Indices>2</Indices>'
    "<REAL-Entries>1</REAL-Entries></REAL-SparseArray></VectorInstance></VectorDictionary>"
)
VECTORS = {"v1": (1.0, 0.0, 2.0), "v2": (2.0, 0.0, -0.5), "v3": (0.5, 1.0, 0.5)}


def dot(x: Sequence[float], y: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(x, y, strict=True))


KERNELS: dict[str, tuple[str, Callable[[Sequence[float], Sequence[float]], float]]] = {
    "linear": ("<LinearKernelType/>", dot),
    "polynomial": (
        '<PolynomialKernelType gamma="0.5" coef0="2" degree="3"/>',
        lambda x, y: (0.5 * dot(x, y) + 2) ** 3,
    ),
    "radial": (
        '<RadialBasisKernelType gamma="0.4"/>',
        lambda x, y: math.exp(-0.4 * sum((a - b) ** 2 for a, b in zip(x, y, strict=True))),
    ),
    "sigmoid": (
        '<SigmoidKernelType gamma="0.3" coef0="-1"/>',
        lambda x, y: math.tanh(0.3 * dot(x, y) - 1),
    ),
}


def machine(weights: dict[str, float], constant: float = 0.0, **attributes: str) -> str:
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    vectors = "".join(f'<SupportVector vectorId="{name}"/>' for name in weights)
    values = "".join(f'<Coefficient value="{value}"/>' for value in weights.values())
    return (
        f"<SupportVectorMachine{declared}><SupportVectors>{vectors}</SupportVectors>"
        f'<Coefficients absoluteValue="{constant}">{values}</Coefficients></SupportVectorMachine>'
    )


def model(
    machines: str,
    target: str = "y",
    kernel: str = "<LinearKernelType/>",
    inner: str = "",
    **attributes: str,
) -> bytes:
    function = "regression" if target == "y" else "classification"
    declared = "".join(f' {name}="{value}"' for name, value in attributes.items())
    body = (
        f'<SupportVectorMachineModel functionName="{function}"{declared}>'
        f"{schema('x', 'c', 'z', target=target)}{inner}{kernel}{DICTIONARY}{machines}"
        "</SupportVectorMachineModel>"
    )
    return document(body, X + Z + C + (Y if target == "y" else KIND))


numbers = st.floats(-4, 4).map(lambda v: round(v, 3))


@settings(max_examples=60, deadline=None)
@given(
    kernel=st.sampled_from(sorted(KERNELS)),
    given_rows=st.lists(st.tuples(numbers, st.booleans(), numbers), min_size=1, max_size=4),
)
def test_a_machine_sums_the_kernels_of_its_vectors(
    kernel: str, given_rows: list[tuple[float, bool, float]]
) -> None:
    element, function = KERNELS[kernel]
    weights = {"v3": -1.25, "v1": 0.75, "v2": 2.0}
    wanted = [
        sum(w * function(VECTORS[name], (x, float(on), z)) for name, w in weights.items()) + 0.5
        for x, on, z in given_rows
    ]
    answers = score(
        model(machine(weights, 0.5), kernel=element),
        x=[x for x, _, _ in given_rows],
        c=["on" if on else "off" for _, on, _ in given_rows],
        z=[z for _, _, z in given_rows],
    )
    assert plain(answers["y"]) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_a_machine_can_be_given_by_its_coefficients_on_the_fields() -> None:
    own = (
        '<SupportVectorMachine><Coefficients absoluteValue="1"><Coefficient value="2"/>'
        '<Coefficient value="10"/><Coefficient value="-1"/></Coefficients></SupportVectorMachine>'
    )
    artifact = model(own, svmRepresentation="Coefficients")
    answers = score(artifact, x=[1, 0], c=["on", "off"], z=[3, 4])
    assert plain(answers["y"]) == [10.0, -3.0]


@pytest.mark.parametrize("kernel", sorted(KERNELS))
@pytest.mark.parametrize("absent", ["x", "c"])
def test_a_missing_coordinate_gives_a_missing_answer(kernel: str, absent: str) -> None:
    row: dict[str, list[Any]] = {"x": [1.0], "c": ["on"], "z": [2.0]}
    row[absent] = [None]
    artifact = model(machine({"v1": 1}), kernel=KERNELS[kernel][0])
    assert plain(score(artifact, **row)["y"]) == [None]


ROWS: dict[str, list[Any]] = {"x": [3, 0, -3], "c": ["off"] * 3, "z": [0, 0, 0]}
# With the vector v2 alone, values at ROWS are 6, 0 and -6.


@pytest.mark.parametrize(
    ("attributes", "answers"),
    [
        ({}, ["b", "b", "a"]),
        ({"maxWins": "true"}, ["a", "b", "b"]),
        ({"threshold": "1"}, ["b", "a", "a"]),
        ({"threshold": "-1", "maxWins": "true"}, ["a", "a", "b"]),
    ],
)
def test_one_machine_decides_between_two_categories_at_its_threshold(
    attributes: dict[str, str], answers: list[str]
) -> None:
    own = machine({"v2": 1}, targetCategory="a", alternateTargetCategory="b")
    assert plain(score(model(own, "kind", **attributes), **ROWS)["kind"]) == answers


def test_a_machine_can_have_a_threshold_of_its_own() -> None:
    own = machine({"v2": 1}, targetCategory="a", alternateTargetCategory="b", threshold="-7")
    assert plain(score(model(own, "kind", threshold="7"), **ROWS)["kind"]) == ["b"] * 3


def test_the_other_category_of_the_only_machine_can_be_the_models() -> None:
    own = machine({"v2": 1}, targetCategory="a")
    artifact = model(own, "kind", alternateBinaryTargetCategory="c")
    assert plain(score(artifact, **ROWS)["kind"]) == ["c", "c", "a"]


@pytest.mark.parametrize(
    ("wins", "answers"), [("false", ["b", "c", "a"]), ("true", ["a", "a", "b"])]
)
def test_against_all_others_the_smallest_value_wins_unless_the_largest_does(
    wins: str, answers: list[str]
) -> None:
    machines = (
        machine({"v2": 1}, 0, targetCategory="a")
        + machine({"v2": -1}, 0, targetCategory="b")
        + machine({}, -1, targetCategory="c")
    )
    artifact = model(machines, "kind", classificationMethod="OneAgainstAll", maxWins=wins)
    assert plain(score(artifact, **ROWS)["kind"]) == answers


def test_one_against_one_the_most_votes_win_and_of_equals_the_first_declared() -> None:
    machines = (
        machine({"v2": 1}, 1, targetCategory="c", alternateTargetCategory="b")
        + machine({"v2": 1}, 1, targetCategory="b", alternateTargetCategory="a")
        + machine({"v2": -1}, 0, targetCategory="a", alternateTargetCategory="c")
    )
    output = "".join(
        f'<OutputField name="{label}" feature="probability" value="{label}"/>' for label in "abc"
    )
    artifact = model(
        machines,
        "kind",
        inner=f"<Output>{output}</Output>",
        classificationMethod="OneAgainstOne",
    )
    answers = score(artifact, **{**ROWS, "x": [3, 0, -3], "z": [0, 0, None]})
    # values 7, 7, -6: votes b, a, a; values 1, 1, 0: votes b, a, c
    assert plain(answers["kind"]) == ["a", "a", None]
    assert plain(answers["a"]) == pytest.approx([2 / 3, 1 / 3, None])
    assert plain(answers["b"])[:2] == pytest.approx([1 / 3, 1 / 3])
    assert plain(answers["c"])[:2] == pytest.approx([0, 1 / 3])


def test_a_large_batch_is_scored_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = model(machine({"v1": 1, "v2": -2}), kernel=KERNELS["radial"][0])
    rows: dict[str, list[Any]] = {"x": [*range(10)], "c": ["on"] * 10, "z": [1.0] * 10}
    whole = plain(score(artifact, **rows)["y"])
    monkeypatch.setattr(limits, "PMML_ENSEMBLE_CELLS_MAX", 9)
    assert plain(score(artifact, **rows)["y"]) == whole


PAIR = machine({"v2": 1}, targetCategory="a", alternateTargetCategory="b")


@pytest.mark.parametrize(
    ("artifact", "error", "reason"),
    [
        (model(machine({"v9": 1})), InvalidModel, "'v9' is not in the VectorDictionary"),
        (model(machine({"v1": 1}) * 2), InvalidModel, "one SupportVectorMachine, it has 2"),
        (model("", "kind"), InvalidModel, "no SupportVectorMachine"),
        (model(machine({"v1": 1}), kernel=""), InvalidModel, "0 kernels"),
        (model(machine({"v1": 1}, targetCategory="a"), "kind"), InvalidModel, "for each target"),
        (model(PAIR + PAIR, "kind"), InvalidModel, "for each targetCategory"),
        (
            model(PAIR + machine({}, targetCategory="c"), "kind"),
            UnsupportedModel,
            "alternateTargetCategory with several machines",
        ),
        (
            model(
                machine({"v1": 1}), kernel=KERNELS["radial"][0], svmRepresentation="Coefficients"
            ),
            InvalidModel,
            "needs a LinearKernelType",
        ),
        (
            model(machine({"v1": 1})).replace(b"<Indices>3 1<", b"<Indices>3 4<"),
            InvalidModel,
            "from 1 to 3",
        ),
        (model(machine({"v1": 1})).replace(b">1 0 2<", b">1 0<"), InvalidModel, "2 numbers for 3"),
        (model(machine({"v1": 1})).replace(b">1 0 2<", b">1 0 nan<"), InvalidModel, "not finite"),
        (
            model(machine({"v1": 1})).replace(b'<Coefficient value="1"/>', b""),
            InvalidModel,
            "0 Coefficients for 1",
        ),
    ],
)
def test_what_is_not_evaluated_is_refused_by_name(
    artifact: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        lower(artifact)
