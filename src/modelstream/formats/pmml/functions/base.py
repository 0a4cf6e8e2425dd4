"""What a built-in function is, and the pieces that all of them are made from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from modelstream.errors import UnsupportedModel
from modelstream.formats.pmml.batch import Batch
from modelstream.formats.pmml.elements.base import DataType
from modelstream.formats.pmml.scope import Compiled, constant
from modelstream.formats.pmml.values import Scalar, cast, cast_scalar, is_text
from modelstream.messages import Column

# Reads an argument for one batch: a constant stays one value, so that NumPy spreads it itself.
Getter = Callable[[Batch], Column | Scalar]


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
        return lambda _: value
    if source == data_type:
        return compiled.evaluate
    evaluate = compiled.evaluate
    return lambda batch: cast(evaluate(batch), source, data_type)


def number_getter(compiled: Compiled) -> Getter:
    """Return what reads an argument as a number."""
    return getter(compiled, "double" if is_text(compiled.data_type) else compiled.data_type)


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
    call: Call, data_type: DataType, evaluate: Callable[[Batch], Column | Scalar]
) -> Compiled:
    """Return a call as an expression; one with constant arguments alone is itself constant."""
    if call.arguments and all(argument.constant is not None for argument in call.arguments):
        value = np.asarray(evaluate(Batch({}, 1))).ravel().tolist()[0]
        return constant(value, data_type)
    return Compiled(data_type, evaluate, depth_of(call.arguments))  # type: ignore[arg-type]
