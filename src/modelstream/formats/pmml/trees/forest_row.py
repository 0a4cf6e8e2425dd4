"""Run a lowered forest for one row: by a walk in Python where it is small, else by the kernel."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from modelstream.formats import limits
from modelstream.formats.pmml.fields.rows import Plan, Step, Twin, Values
from modelstream.formats.trees.kernel import LeafKernel
from modelstream.formats.trees.onnx_graph import EQUAL, LESS_OR_EQUAL, TreeArrays
from modelstream.messages import Column

# The place of what a test asks for, its split, where true, false and missing lead. A test of
# equality has no split: the table of what it is true for takes the place of where true leads.
_Test = tuple[int, float | None, Any, int, int]


def leaves_row(kernel: LeafKernel, readers: Sequence[Twin]) -> Twin:
    """Return the twin that gives the leaf of each tree for one row, an array."""
    walked = _is_walked(kernel.arrays)

    def row(plan: Plan) -> int:
        places = [plan.use(reader) for reader in readers]
        if walked:
            return plan.step(_walk(kernel.arrays, kernel.leaf_of, places))
        plan.kernels += 1
        return plan.step(_run(kernel, places))

    return row


def _is_walked(trees: TreeArrays) -> bool:
    """Tell whether a walk is faster than a call of the kernel, and small enough to hold."""
    tests = np.diff(trees.roots, append=len(trees.feature))
    steps = np.log2(tests + 1.0).sum()
    return bool(
        len(trees.feature) <= limits.PMML_WALKED_TESTS_MAX and steps <= limits.PMML_WALKED_STEPS_MAX
    )


def _run(kernel: LeafKernel, places: list[int]) -> Step:
    if len(places) == 1:
        only = places[0]
        return lambda values: kernel.leaves_of_one([values[only]])
    take = itemgetter(*places)
    return lambda values: kernel.leaves_of_one(take(values))


def _walk(trees: TreeArrays, leaf_of: Column, places: list[int]) -> Step:
    tests = _tests(trees, places)
    roots = trees.roots.tolist()
    own = leaf_of.tolist()

    def leaves(values: Values) -> list[int]:
        found = []
        for root in roots:
            at = root
            while at >= 0:
                place, split, true, false, absent = tests[at]
                value = values[place]
                if split is None:
                    at = absent if value != value else true.get(value, false)  # noqa: PLR0124
                elif value <= split:
                    at = true
                else:
                    at = false if value == value else absent  # noqa: PLR0124  # NaN is not itself
            found.append(own[-1 - at])
        return found

    return leaves


def _tests(trees: TreeArrays, places: list[int]) -> list[_Test]:
    """Return the tests of all trees."""
    members = iter(_sets(trees.members.tolist()))
    tests: list[_Test] = []
    columns = (trees.feature, trees.mode, trees.split, trees.true, trees.false)
    listed = [column.tolist() for column in (*columns, trees.missing_is_true)]
    for feature, mode, split, true, false, missing_is_true in zip(*listed, strict=True):
        absent = true if missing_is_true else false
        if mode == LESS_OR_EQUAL:
            tests.append((places[feature], split, true, false, absent))
            continue
        asked = [split] if mode == EQUAL else next(members)
        tests.append((places[feature], None, dict.fromkeys(asked, true), false, absent))
    return tests


def _sets(members: list[float]) -> list[list[float]]:
    """Return the stretches that end at a NaN."""
    sets: list[list[float]] = [[]]
    for member in members:
        if member == member:  # noqa: PLR0124  # NaN is not itself
            sets[-1].append(member)
        else:
            sets.append([])
    return sets[:-1]
