"""Functions of the library by their definitions (PFA 0.8.1), at least one of each group."""

import math
from typing import Any

import pytest

from modelstream.formats.pfa.faults import Fault, Stopped
from tests.support.pfa import answer, answers

NAN, INF = math.nan, math.inf
DOUBLES = {"type": "array", "items": "double"}
INTS = {"type": "array", "items": "int"}
STRINGS = {"type": "array", "items": "string"}
MATRIX = {"type": "array", "items": DOUBLES}


def literal(value: Any) -> Any:
    """Write a value as an expression whose type is told by the value."""
    if isinstance(value, str):
        return {"string": value}
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            return {"type": MATRIX, "value": value}
        kind = STRINGS if value and isinstance(value[0], str) else DOUBLES
        return {"type": INTS if value and isinstance(value[0], int) else kind, "value": value}
    if isinstance(value, float) and not math.isfinite(value):
        return {
            "type": "double",
            "value": repr(value).replace("inf", "Infinity").replace("nan", "NaN"),
        }
    return value


def call(name: str, made: Any, *arguments: Any) -> Any:
    return answer([{name: [literal(each) for each in arguments]}], made)


CASES: list[tuple[str, Any, tuple[Any, ...], Any]] = [
    ("+", "int", (2, 3), 5),
    ("-", "double", (2, 0.5), 1.5),
    ("/", "double", (1, 0), INF),
    ("//", "int", (-7, 2), -3),
    ("%", "int", (-7, 5), 3),
    ("%%", "int", (-7, 5), -2),
    ("**", "int", (2, 10), 1024),
    ("**", "double", (1.0, NAN), NAN),
    ("u-", "int", (3,), -3),
    ("cmp", "int", ("a", "b"), -1),
    ("<", "boolean", (NAN, INF), False),
    ("==", "boolean", (NAN, NAN), True),
    ("max", "double", (NAN, 1.0), NAN),
    ("&", "int", (6, 3), 2),
    ("~", "int", (0,), -1),
    ("^^", "boolean", (True, False), True),
    ("m.round", "long", (2.5,), 3),
    ("m.rint", "double", (2.5,), 2.0),
    ("m.ln", "double", (0.0,), -INF),
    ("m.log", "double", (8.0, 2), 3.0),
    ("m.copysign", "int", (3, -1), -3),
    ("m.signum", "int", (-2.0,), -1),
    ("m.special.nChooseK", "int", (5, 2), 10),
    ("m.link.logit", "double", (0.0,), 0.5),
    ("m.link.softmax", DOUBLES, ([0.0, 0.0],), [0.5, 0.5]),
    ("m.link.probit", "double", (0.0,), 0.5),
    ("m.kernel.rbf", "double", ([1.0, 2.0], [1.0, 4.0], 0.25), math.exp(-1.0)),
    ("a.len", "int", ([1.0, 2.0],), 2),
    ("a.subseq", INTS, ([1, 2, 3, 4], 1, -1), [2, 3]),
    ("a.subseqto", INTS, ([1, 2, 3, 4], 1, 3, [9]), [1, 9, 4]),
    ("a.count", "int", ([1, 2, 1], 1), 2),
    ("a.index", "int", ([1, 2, 3, 2], [3, 2]), 2),
    ("a.rotate", INTS, ([1, 2, 3], 1), [2, 3, 1]),
    ("a.sum", "int", ([1, 2, 3],), 6),
    ("a.mean", "double", ([1.0, 2.0],), 1.5),
    ("a.median", "double", ([1.0, 4.0, 2.0, 3.0],), 2.5),
    ("a.mode", "int", ([1, 2, 2],), 2),
    ("a.ntile", "double", ([1.0, 2.0, 3.0], 0.25), 1.5),
    ("a.argmax", "int", ([1.0, 3.0, 3.0],), 1),
    ("a.minN", INTS, ([3, 1, 2], 2), [1, 2]),
    ("a.sort", INTS, ([3, 1, 2],), [1, 2, 3]),
    ("a.union", INTS, ([1, 2], [2, 3]), [1, 2, 3]),
    ("a.slidingWindow", MATRIX, ([1.0, 2.0, 3.0], 2, 1), [[1.0, 2.0], [2.0, 3.0]]),
    ("a.flatten", DOUBLES, ([[1.0], [2.0, 3.0]],), [1.0, 2.0, 3.0]),
    ("a.logsumexp", "double", ([0.0, 0.0],), math.log(2)),
    ("la.add", DOUBLES, ([1.0, 2.0], [3.0, 4.0]), [4.0, 6.0]),
    ("la.dot", DOUBLES, ([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0]), [3.0, 7.0]),
    ("la.transpose", MATRIX, ([[1.0, 2.0]],), [[1.0], [2.0]]),
    ("la.det", "double", ([[2.0, 0.0], [0.0, 3.0]],), 6.0),
    ("la.inverse", MATRIX, ([[2.0, 0.0], [0.0, 4.0]],), [[0.5, 0.0], [0.0, 0.25]]),
    ("la.trace", "double", ([[2.0, 0.0], [0.0, 3.0]],), 5.0),
    ("metric.simpleEuclidean", "double", ([0.0, 0.0], [3.0, 4.0]), 5.0),
    ("s.concat", "string", ("a", "b"), "ab"),
    ("s.substr", "string", ("hello", 1, -1), "ell"),
    ("s.join", "string", (["a", "b"], "-"), "a-b"),
    ("s.split", STRINGS, ("a-b", "-"), ["a", "b"]),
    ("s.hex", "string", (255, 6, True), "0000ff"),
    ("s.int", "string", (7, -3, False), "7  "),
    ("s.translate", "string", ("hello", "lo", "L"), "heLL"),
    ("s.replacelast", "string", ("aXbX", "X", "-"), "aXb-"),
    ("cast.int", "int", (2.5,), 3),
    ("cast.signed", "long", (255, 8), -1),
    ("cast.fanoutInt", INTS, ("b", ["a", "b"], True), [0, 1, 0]),
    ("cast.json", "string", ([1.0, 2.5],), "[1.0,2.5]"),
    ("parse.int", "int", ("ff", 16), 255),
    ("parse.double", "double", ("2.5",), 2.5),
    ("impute.isnan", "boolean", (NAN,), True),
    ("impute.defaultOnNonNum", "double", (INF, 1.0), 1.0),
    ("interp.bin", "int", (2.5, 10, 0.0, 10.0), 2),
    ("bytes.encodeUtf8", "bytes", ("é",), "é".encode()),
    ("re.split", STRINGS, ("a, b,c", ", *"), ["a", "b", "c"]),
    ("re.count", "int", ("a1b22c", "[0-9]+"), 2),
    ("re.findall", STRINGS, ("a1b22c", "[0-9]+"), ["1", "22"]),
    ("re.findfirst", ["string", "null"], ("abc", "[0-9]"), None),
    ("re.replacefirst", "string", ("a1b22", "[0-9]+", "-"), "a-b22"),
    ("re.replacelast", "string", ("a1b22", "[0-9]+", "-"), "a1b-"),
    ("prob.dist.lognormalCDF", "double", (1.0, 0.0, 2.0), 0.5),
    ("prob.dist.weibullQF", "double", (0.5, 1.0, 2.0), 2.0 * math.log(2.0)),
    ("prob.dist.geometricPDF", "double", (2, 0.5), 0.125),
    ("prob.dist.poissonPDF", "double", (0, 3.0), math.exp(-3.0)),
    ("prob.dist.gaussianLL", "double", (1.0, 0.0, 5e-324), -INF),
    ("prob.dist.gaussianLL", "double", (0.0, 0.0, 1.0), -0.5 * math.log(2 * math.pi)),
    ("prob.dist.gaussianQF", "double", (0.5, 3.0, 1.0), 3.0),
    ("stat.change.updateCUSUM", "double", (1.0, 2.0, 0.0), 3.0),
    ("stat.test.residual", DOUBLES, ([3.0], [1.0]), [2.0]),
    ("time.year", "int", (0.0, ""), 1970),
    ("time.hourOfDay", "int", (0.0, "Asia/Tokyo"), 9),
    ("time.isWeekend", "boolean", (0.0, ""), False),
]


@pytest.mark.parametrize(("name", "made", "given", "expected"), CASES, ids=[c[0] for c in CASES])
def test_a_function_does_as_it_is_defined(
    name: str, made: Any, given: tuple[Any, ...], expected: Any
) -> None:
    found = call(name, made, *given)
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
    else:
        assert found == (
            pytest.approx(expected)
            if isinstance(expected, list) and not isinstance(expected[0], (list, str))
            else expected
        )


FAULTS: list[tuple[str, Any, tuple[Any, ...], int]] = [
    ("*", "int", (100_000, 100_000), 18020),
    ("-", "long", (-(2**63), 1), 18011),
    ("//", "int", (1, 0), 18040),
    ("%", "int", (1, 0), 18060),
    ("a.head", "double", ([],), 15020),
    ("a.insert", INTS, ([1], 5, 2), 15160),
    ("a.max", "double", ([],), 15240),
    ("a.maxN", INTS, ([1], -1), 15281),
    ("m.round", "long", (INF,), 27191),
    ("m.log", "double", (1.0, 0), 27170),
    ("cast.int", "int", (3e9,), 17020),
    ("parse.int", "int", ("x", 10), 33000),
    ("parse.int", "int", ("1", 99), 33001),
    ("s.hex", "string", (-1,), 39111),
    ("la.dot", DOUBLES, ([[1.0]], [1.0, 2.0]), 24050),
    ("la.det", "double", ([[1.0, 2.0]],), 24092),
    ("interp.bin", "int", (20.0, 10, 0.0, 10.0), 22002),
    ("impute.errorOnNonNum", "double", (NAN,), 21050),
    ("metric.simpleEuclidean", "double", ([1.0], [1.0, 2.0]), 28000),
    ("time.year", "int", (0.0, "Nowhere/Here"), 40000),
    ("time.year", "int", (1e300, ""), 40001),
    ("prob.dist.gaussianLL", "double", (0.0, 0.0, -1.0), 13000),
    ("m.special.lnGamma", "double", (1e308,), 36050),
    ("m.special.lnBeta", "double", (1e308, 10.0), 36010),
    ("prob.dist.exponentialPDF", "double", (NAN, -1.0), 13030),
    ("prob.dist.weibullQF", "double", (1.5, 1.0, 1.0), 13441),
    ("re.contains", "boolean", ("a", "[z"), 35010),
]


@pytest.mark.parametrize(("name", "made", "given", "code"), FAULTS, ids=[f[0] for f in FAULTS])
def test_a_fault_has_its_code(name: str, made: Any, given: tuple[Any, ...], code: int) -> None:
    with pytest.raises(Fault) as caught:
        call(name, made, *given)
    assert caught.value.code == code


def test_whole_numbers_are_checked_in_every_row() -> None:
    found = answers([{"*": ["input", 2]}], "int", "int", [1, 2**30, -(2**30)])
    assert found[0] == 2
    assert found[2] == -(2**31)
    assert str(found[1]) == "int overflow (PFA error 18020)"


@pytest.mark.parametrize("pattern", ["(a+)+", "a*b*", "", "a*", "[", "x{2}"])
def test_a_pattern_that_a_text_could_make_slow_is_a_fault(pattern: str) -> None:
    with pytest.raises(Fault, match="pattern"):
        call("re.split", STRINGS, "aaaa", pattern)


def test_a_value_that_grows_without_end_is_stopped() -> None:
    doubled = [
        {"let": {"s": {"string": "x"}}},
        {"while": True, "do": {"set": {"s": {"s.concat": ["s", "s"]}}}},
        "s",
    ]
    with pytest.raises(Stopped, match="items"):
        answer(doubled, "string", "int", 1)


def test_higher_order_functions_take_functions_written_in_place() -> None:
    double = {"params": [{"x": "double"}], "ret": "double", "do": {"*": ["x", "k"]}}
    action = [{"let": {"k": 2.0}}, {"a.map": ["input", double]}]
    assert answers(action, DOUBLES, DOUBLES, [[1, 2], [3, 4]]) == [[2.0, 4.0], [6.0, 8.0]]
    assert answers(action, DOUBLES, DOUBLES, [[1], [3, 4]]) == [[2.0], [6.0, 8.0]]
    add = {"params": [{"t": "double"}, {"x": "double"}], "ret": "double", "do": {"+": ["t", "x"]}}
    assert answers([{"a.fold": ["input", 10, add]}], DOUBLES, "double", [[1, 2], [3, 4]]) == [
        13.0,
        17.0,
    ]


def test_sets_are_keyed_by_their_items() -> None:
    action = [{"map.fromset": {"map.add": [{"map.toset": "input"}, 7]}}]
    assert answers(action, INTS, INTS, [[7, 7, 8]]) == [[7, 8]]
    assert answer([{"map.keys": {"map.toset": "input"}}], STRINGS, INTS, [1]) == ["Ag=="]
