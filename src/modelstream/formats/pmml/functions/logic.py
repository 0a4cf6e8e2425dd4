"""Built-in functions of truth: and, or, not, isMissing, isValid, if (DMG 4.4, Built-in functions).

Truth is three-valued: `and` and `or` are Kleene's.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import Plan, Steps, Values, applied, run
from modelstream.formats.pmml.fields.scope import Compiled
from modelstream.formats.pmml.fields.values import (
    full,
    is_missing,
    is_text,
    missing,
)
from modelstream.formats.pmml.functions.base import (
    Builtin,
    Call,
    Getter,
    finish,
    getter,
    number_getter,
    truth_argument,
    widest,
)
from modelstream.formats.pmml.functions.kleene import (
    all_true,
    any_true,
    every_true,
    some_true,
)
from modelstream.messages import Column


def logic_functions() -> dict[str, Builtin]:
    """Return the functions by name."""
    return {
        "and": Builtin(2, None, _connective(all_true, every_true)),
        "or": Builtin(2, None, _connective(any_true, some_true)),
        "not": Builtin(1, 1, _negation),
        "isMissing": Builtin(1, 1, _presence(absent=1.0)),
        "isNotMissing": Builtin(1, 1, _presence(absent=0.0)),
        "isValid": Builtin(1, 1, _validity(valid=1.0)),
        "isNotValid": Builtin(1, 1, _validity(valid=0.0)),
        "if": Builtin(2, 3, _if),
    }


def _connective(
    combine: Callable[[list[Column]], Column], of_values: Callable[..., float]
) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        arguments = [truth_argument(call.name, argument) for argument in call.arguments]
        evaluators = [argument.evaluate for argument in arguments]
        row = applied([argument.row for argument in arguments], of_values)
        return finish(
            call, "boolean", lambda batch: combine([get(batch) for get in evaluators]), row
        )

    return compile_call


def _negation(call: Call) -> Compiled:
    argument = truth_argument(call.name, call.arguments[0])
    evaluate = argument.evaluate
    row = applied([argument.row], lambda value: 1.0 - value)
    return finish(call, "boolean", lambda batch: 1.0 - evaluate(batch), row)


def _presence(*, absent: float) -> Callable[[Call], Compiled]:
    def compile_call(call: Call) -> Compiled:
        evaluate = call.arguments[0].evaluate
        return finish(
            call,
            "boolean",
            lambda batch: np.where(missing(evaluate(batch)), absent, 1.0 - absent),
            applied(
                [call.arguments[0].row],
                lambda value: absent if is_missing(value) else 1.0 - absent,
            ),
        )

    return compile_call


def _validity(*, valid: float) -> Callable[[Call], Compiled]:
    """Return the test for values that are neither missing nor invalid but left as they are."""

    def compile_call(call: Call) -> Compiled:
        argument = call.arguments[0]

        def evaluate(batch: Batch) -> Column:
            wrong = missing(argument.evaluate(batch))
            if argument.invalid is not None:
                wrong = wrong | batch.read(argument.invalid)
            return np.where(wrong, 1.0 - valid, valid)

        def row(plan: Plan) -> int:
            at = plan.use(argument.row)
            bad = plan.constant(False) if argument.invalid is None else plan.place(argument.invalid)
            return plan.step(
                lambda values: 1.0 - valid if values[bad] or is_missing(values[at]) else valid
            )

        return finish(call, "boolean", evaluate, row)

    return compile_call


def _if(call: Call) -> Compiled:
    """Compile a choice; where the condition is missing the result is, too."""
    condition = number_getter(call.arguments[0])
    branches = call.arguments[1:]
    data_type = _branch_type(branches)
    yes = getter(branches[0], data_type)
    no = getter(branches[1], data_type) if len(branches) > 1 else None
    nothing = None if is_text(data_type) else np.nan

    def evaluate(batch: Batch) -> Column:
        chosen = np.broadcast_to(np.asarray(condition(batch), dtype=np.float64), batch.rows)
        result = full(nothing, batch.rows, data_type)
        for wanted, get in ((1.0, yes), (0.0, no)):
            if get is not None:
                rows = chosen == wanted
                value = get(batch.only(rows))  # what the other rows would have been is no matter
                result[rows] = value[rows] if isinstance(value, np.ndarray) else value
        return result

    def row(plan: Plan) -> int:
        at = plan.use(condition.row)
        branches = {1.0: _branch(yes, plan), 0.0: _branch(no, plan)}

        def choose(values: Values) -> Any:
            chosen = branches.get(values[at])
            if chosen is None:
                return nothing
            steps, place = chosen
            run(steps, values)
            return values[place]

        return plan.step(choose)

    return finish(call, data_type, evaluate, row)


def _branch(get: Getter | None, plan: Plan) -> tuple[Steps, int] | None:
    """Return the steps of one branch of a choice, taken only where it is chosen."""
    if get is None:
        return None
    with plan.branch() as steps:
        place = plan.use(get.row)
    return steps, place


def _branch_type(branches: tuple[Compiled, ...]) -> DataType:
    types = {branch.data_type for branch in branches}
    if len(types) == 1:
        return branches[0].data_type
    return "string" if "string" in types else widest(branches)
