"""Expressions on columns agree with a slow reading of them, a row at a time, in plain Python."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelstream.formats.pipeline.arithmetic import run_program
from modelstream.formats.pipeline.grammar import FUNCTIONS, parse_expression

NAN = math.nan
NAMES = ("a", "b", "odd name")
# An expression as a tree: a number, the name of a column, or an operator and its operands.
Tree = Any


def strict(operator: Callable[..., float]) -> Callable[..., float]:
    """Make the answer missing where an operand is, or where arithmetic has none."""

    def evaluated(*values: float) -> float:
        if any(map(math.isnan, values)):
            return NAN
        try:
            found = operator(*values)
        except (ValueError, ZeroDivisionError):
            return NAN
        except OverflowError:
            return math.inf
        return NAN if isinstance(found, complex) else float(found)

    return evaluated


def divided(a: float, b: float) -> float:
    if b == 0:
        return NAN if a == 0 else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def logarithm(a: float) -> float:
    return -math.inf if a == 0 else math.log(a)


def power(a: float, b: float) -> float:
    if a == 0 and b < 0:
        odd = b % 2 == 1
        return math.copysign(math.inf, a) if odd else math.inf
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf


def rounded(keep: Callable[[float], float]) -> Callable[[float], float]:
    return lambda a: float(keep(a)) if math.isfinite(a) else a


def modulo(a: float, b: float) -> float:
    if math.isinf(b) and math.isfinite(a) and a != 0 and (a < 0) != (b < 0):
        return b
    return a % b


SLOW: dict[str, Callable[..., float]] = {
    "+": strict(lambda a, b: a + b), "-": strict(lambda a, b: a - b),
    "*": strict(lambda a, b: a * b), "/": strict(divided), "%": strict(modulo),
    "**": strict(power), "negative": strict(lambda a: -a),
    "<": strict(lambda a, b: a < b), "<=": strict(lambda a, b: a <= b),
    ">": strict(lambda a, b: a > b), ">=": strict(lambda a, b: a >= b),
    "==": strict(lambda a, b: a == b), "!=": strict(lambda a, b: a != b),
    "not": strict(lambda a: a == 0), "isnan": lambda a: float(math.isnan(a)),
    "abs": strict(abs), "exp": strict(math.exp), "log": strict(logarithm),
    "sqrt": strict(math.sqrt), "round": strict(rounded(round)),
    "floor": strict(rounded(math.floor)), "ceil": strict(rounded(math.ceil)),
    "min": strict(min), "max": strict(max),
    "and": lambda a, b: 0.0 if 0 in (a, b) else NAN if math.isnan(a + b) else 1.0,
    "or": lambda a, b: (
        1.0 if any(each != 0 and not math.isnan(each) for each in (a, b))
        else NAN if math.isnan(a + b) else 0.0
    ),
    "if": lambda c, a, b: NAN if math.isnan(c) else a if c != 0 else b,
}  # fmt: skip


def slow(tree: Tree, row: dict[str, float]) -> float:
    match tree:
        case str(name):
            return row[name]
        case float(number):
            return number
        case (operator, *operands):
            return SLOW[operator](*(slow(each, row) for each in operands))
    raise AssertionError(tree)


def written(tree: Tree) -> str:
    match tree:
        case str(name):
            return f"`{name}`"
        case float(number):
            return repr(number)
        case ("negative", inside):
            return f"(-{written(inside)})"
        case ("not", inside):
            return f"(not {written(inside)})"
        case (operator, *operands) if operator in FUNCTIONS:
            return f"{operator}({', '.join(map(written, operands))})"
        case (operator, first, second):
            return f"({written(first)} {operator} {written(second)})"
    raise AssertionError(tree)


def grown(inside: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    one = ["negative", "not", "abs", "exp", "log", "sqrt", "round", "floor", "ceil", "isnan"]
    two = [*"+-*/%", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or", "min", "max"]
    return st.one_of(
        st.tuples(st.sampled_from(one), inside),
        st.tuples(st.sampled_from(two), inside, inside),
        st.tuples(st.sampled_from(["if", "min", "max"]), inside, inside, inside),
    )


VALUES = st.one_of(
    st.sampled_from([NAN, 0.0, 1.0, -1.0, 2.5, -2.5, 0.5]), st.floats(-1000, 1000).map(float)
)
LEAVES = st.one_of(st.sampled_from(NAMES), st.sampled_from([0.0, 1.0, 2.0, 0.5, 3.25]))
TREES = st.recursive(LEAVES, grown, max_leaves=8)


def holds(tree: Tree, operators: set[str]) -> bool:
    return isinstance(tree, tuple) and (
        tree[0] in operators or any(holds(each, operators) for each in tree[1:])
    )


# Functions whose last bit is the library's; what is compared or rounded after them may flip.
INEXACT = {"exp", "log", "**"}
STEPS = {"<", "<=", ">", ">=", "==", "!=", "round", "floor", "ceil", "%", "if", "and", "or", "not"}


@settings(max_examples=400, deadline=None)
@given(TREES, st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES)), min_size=1, max_size=5))
def test_an_expression_agrees_with_its_slow_reading(
    tree: Tree, rows: list[dict[str, float]]
) -> None:
    program = parse_expression(written(tree))
    columns = {name: np.array([row[name] for row in rows]) for name in NAMES}
    got = run_program(program, columns, len(rows))
    expected = [slow(tree, row) for row in rows]
    if holds(tree, INEXACT):
        if holds(tree, STEPS):
            return
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    else:
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("not isnan(a) and a > 1", [0.0, 0.0, 1.0]),
        ("isnan(a) or a > 1", [1.0, 0.0, 1.0]),
        ("a > 1", [NAN, 0.0, 1.0]),
        ("if(isnan(a), 7, a)", [7.0, 1.0, 2.0]),
        ("a ** 0", [NAN, 1.0, 1.0]),
        ("min(a, 1.5)", [NAN, 1.0, 1.5]),
        ("round(a / 4 * 10)", [NAN, 2.0, 5.0]),
        ("3", [3.0, 3.0, 3.0]),
    ],
)
def test_what_is_missing_stays_so_unless_it_is_asked_for(text: str, answers: list[float]) -> None:
    got = run_program(parse_expression(text), {"a": np.array([NAN, 1.0, 2.0])}, 3)
    np.testing.assert_array_equal(got, answers)


@settings(deadline=None)
@given(TREES, st.integers(1, 7))
def test_a_row_has_the_same_answer_in_any_batch(tree: Tree, size: int) -> None:
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(0, 10, 37) for name in NAMES}
    program = parse_expression(written(tree))
    whole = run_program(program, columns, 37)
    for start in range(0, 37, size):
        part = {name: column[start : start + size].copy() for name, column in columns.items()}
        rows = min(size, 37 - start)
        np.testing.assert_array_equal(run_program(program, part, rows), whole[start : start + size])
