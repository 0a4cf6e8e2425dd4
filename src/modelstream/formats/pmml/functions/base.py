"""What a built-in function is, and the pieces that all of them are made from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.fields.batch import Batch
from modelstream.formats.pmml.fields.rows import Twin
from modelstream.formats.pmml.fields.scope import Compiled, constant
from modelstream.formats.pmml.fields.values import (
    Scalar,
    cast,
    cast_row,
    cast_scalar,
    is_text,
    parse_declared,
)
from modelstream.messages import Column


@dataclass(frozen=True, slots=True)
class Getter:
    """Reads an argument, for a batch and for one row.

    For a batch a constant stays one value, so that NumPy spreads it itself.
    """

    read: Callable[[Batch], Column | Scalar]
    row: Twin | None = None

    def __call__(self, batch: Batch) -> Column | Scalar:
        """Return the argument for a batch."""
        return self.read(batch)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a built-in function.

    A strict one rejects the rows where arguments that are there have no result; otherwise the
    result is missing.
    """

    name: str
    arguments: tuple[Compiled, ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function: how many arguments it takes, and how a call is compiled.

    A `most` of None is no limit.
    """

    least: int
    most: int | None
    compile: Callable[[Call], Compiled]


def getter(compiled: Compiled, data_type: DataType) -> Getter:
    """Return what reads an argument as a type."""
    source = compiled.data_type
    if compiled.constant is not None:
        given = compiled.constant[0]
        value = cast_scalar(given, source, data_type)
        if isinstance(given, str) and value != value:  # noqa: PLR0124  # NaN is not itself
            raise UnsupportedModel(
                f"a call with the constant {given!r:.40} where {data_type} is due is not evaluated"
            )
        return Getter(lambda _: value, lambda plan: plan.constant(value))
    if source == data_type:
        return Getter(compiled.evaluate, compiled.row)
    evaluate = compiled.evaluate
    row = cast_row(compiled.row, source, data_type)
    return Getter(lambda batch: cast(evaluate(batch), source, data_type), row)


def number_getter(compiled: Compiled) -> Getter:
    """Return what reads an argument as a number."""
    return getter(compiled, "double" if is_text(compiled.data_type) else compiled.data_type)


def truth_argument(name: str, argument: Compiled) -> Compiled:
    """Return an argument as a truth, 1 or 0; a declared string is read as one.

    Raises InvalidModel where a string stands that no model can know to be one.
    """
    if not is_text(argument.data_type):
        return argument
    text = None if argument.constant is None else argument.constant[0]
    if not isinstance(text, str):
        raise InvalidModel(f"function {name!r} needs truths, not strings; compare them first")
    return constant(parse_declared(text, "boolean", f"function {name!r}"), "boolean")


def widest(arguments: Sequence[Compiled]) -> DataType:
    """Return the type of arithmetic on these: integer, float or double."""
    types = {argument.data_type for argument in arguments}
    if types <= {"integer", "boolean"}:
        return "integer"
    return "float" if types <= {"integer", "boolean", "float"} else "double"


def depth_of(arguments: Sequence[Compiled]) -> int:
    """Return the depth of the deepest argument."""
    return max((argument.depth for argument in arguments), default=0)


def finish(
    call: Call,
    data_type: DataType,
    evaluate: Callable[[Batch], Column | Scalar],
    row: Twin | None = None,
) -> Compiled:
    """Return a call as an expression; one with constant arguments alone is itself constant."""
    if not call.arguments or any(argument.constant is None for argument in call.arguments):
        return Compiled(data_type, evaluate, depth_of(call.arguments), row=row)  # type: ignore[arg-type]
    batch = Batch({}, 1)
    with np.errstate(all="ignore"):  # what arithmetic leaves undefined is missing
        value = np.asarray(evaluate(batch)).ravel().tolist()[0]
    if not batch.errors:
        return constant(value, data_type)
    # Constants without a result reject every row, once rows are there.
    return Compiled(data_type, lambda rows: np.broadcast_to(evaluate(rows), rows.rows))  # type: ignore[arg-type]
