"""Decision trees: tests, and walks from a root to a leaf (PFA 0.8.1, model.tree.*)."""

from collections.abc import Callable
from typing import Any

from modelstream.formats.pfa.columns import Batch, is_column
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.functions.forests import walk_of
from modelstream.formats.pfa.functions.treetests import Comparison, Test
from modelstream.formats.pfa.functions.walks import walk_columns
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import Record
from modelstream.formats.pfa.values import Struct

_NODE = "T{field: fields F of D, operator: string, value: V}"
_ENDS = "pass: T{}|S, fail: T{}|S"


def _test(call: Call, code: int, *, skips_null: bool) -> Rule:
    datum, node = call.params
    assert isinstance(datum, Record)
    assert isinstance(node, Record)
    return Comparison(datum, node, call.orders, code, skips_null=skips_null)


def _compound(datum: Any, operator: str, comparisons: list[Any], test: Test) -> bool:
    if operator == "and":
        return all(test(datum, each) for each in comparisons)
    if operator == "or":
        return any(test(datum, each) for each in comparisons)
    if operator == "xor":
        return sum(bool(test(datum, each)) for each in comparisons) % 2 == 1
    raise Fault("unrecognized logical operator", 32020)


def _surrogate(datum: Any, comparisons: list[Any], test: Test) -> bool:
    for each in comparisons:
        found = test(datum, each)
        if found is not None:
            return found
    raise Fault("no successful surrogate", 32030)


def _walk(call: Call) -> Rule:
    name = str(call.params[1])

    def rule(datum: Any, node: Any, test: Test) -> Any:
        while True:
            found = test(datum, node)
            node = node["missing"] if found is None else node["pass"] if found else node["fail"]
            if type(node) is not Struct or node.name != name:
                return node

    return rule


def _simple_tree(call: Call) -> Rule:
    test = _test(call, 32060, skips_null=False)
    walk = _walk(call)
    return lambda datum, node: walk(datum, node, test)


def _walk_columns(call: Call) -> ColumnRule:
    planned = walk_of(call)

    def rule(batch: Batch, datum: Any, node: Any, *test: Callable[..., Any]) -> Any:
        if is_column(node):
            return NotImplemented
        if planned is not None:
            found = planned(batch, datum, [node])
            if found is not NotImplemented:
                return found[:, 0]
        return walk_columns(batch, datum, node, test[0], call) if test else NotImplemented

    return rule


FUNCTIONS: tuple[LibraryFunction, ...] = (
    LibraryFunction(
        "model.tree.simpleTest",
        (f"(datum: D{{}}, comparison: {_NODE}) -> boolean",),
        lambda call: _test(call, 32000, skips_null=False),
    ),
    LibraryFunction(
        "model.tree.missingTest",
        (f"(datum: D{{}}, comparison: {_NODE}) -> null|boolean",),
        lambda call: _test(call, 32010, skips_null=True),
    ),
    plain(
        "model.tree.compoundTest",
        "(datum: D{}, operator: string, comparisons: [T{}], test: (D, T -> boolean)) -> boolean",
        rule=_compound,
    ),
    plain(
        "model.tree.surrogateTest",
        "(datum: D{}, comparisons: [T{}], missingTest: (D, T -> null|boolean)) -> boolean",
        rule=_surrogate,
    ),
    LibraryFunction(
        "model.tree.simpleWalk",
        (f"(datum: D{{}}, treeNode: T{{{_ENDS}}}, test: (D{{}}, T{{}} -> boolean)) -> S",),
        _walk,
        _walk_columns,
    ),
    LibraryFunction(
        "model.tree.missingWalk",
        (
            f"(datum: D{{}}, treeNode: T{{{_ENDS}, missing: T{{}}|S}}, "
            "test: (D{}, T{} -> null|boolean)) -> S",
        ),
        _walk,
        _walk_columns,
    ),
    LibraryFunction(
        "model.tree.simpleTree",
        (
            f"(datum: D{{}}, treeNode: T{{field: fields F of D, operator: string, value: V, "
            f"{_ENDS}}}) -> S",
        ),
        _simple_tree,
        _walk_columns,
    ),
)
