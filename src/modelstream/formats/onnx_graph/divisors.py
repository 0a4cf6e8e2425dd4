"""A divisor that ends no process, as nodes of a graph: how it is made, and how it is known again.

-1 is set apart as 1; what is then done with the quotient is the business of `division`. A zero
makes the run fail before anything is divided: it is an index that is out of bounds.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from modelstream.wire.proto import onnx_subset_pb2 as pb

# TensorProto.DataType of the whole numbers that can be guarded.
INT32, INT64 = 6, 7
DTYPES: Mapping[int, np.dtype[Any]] = {INT32: np.dtype("<i4"), INT64: np.dtype("<i8")}
_MARK = "%division"
_INT_ATTRIBUTE = 2  # AttributeProto.AttributeType


def part(answer: str, name: str) -> str:
    """Return what a value is called that is made on the way to an answer."""
    return f"{answer}{_MARK}/{name}"


def guard_constants(kind: int) -> list[pb.TensorProto]:
    """Return the constants that guards of one type share."""
    scalars = [(str(number), number, ()) for number in (-1, 0, 1)]
    return [
        pb.TensorProto(
            name=f"{_MARK}/{kind}/{name}",
            data_type=kind,
            dims=dims,
            raw_data=np.array(number, DTYPES[kind]).tobytes(),
        )
        for name, number, dims in [*scalars, ("zeros", 0, (1,))]
    ]


def safe_divisor(divisor: str, answer: str, kind: int) -> Iterator[pb.NodeProto]:
    """Yield the nodes that make two parts of an answer of its divisor.

    `safe` is what to divide by, `turned` tells where the divisor was -1.
    """
    least, zero, one, zeros = (each.name for each in guard_constants(kind))
    turned, apart, is_zero, index, none, safe = (
        part(answer, each) for each in ("turned", "apart", "is_zero", "index", "none", "safe")
    )
    to_index = pb.AttributeProto(name="to", i=INT64, type=_INT_ATTRIBUTE)
    yield _node("Equal", (divisor, least), turned)
    yield _node("Where", (turned, one, divisor), apart)
    yield _node("Equal", (divisor, zero), is_zero)
    yield _node("Cast", (is_zero,), index, to_index)
    # The name is what ONNX Runtime says where this fails.
    gather = _node("Gather", (zeros, index), none)
    gather.name = f"{answer}: a whole number is divided by zero"
    yield gather
    yield _node("Add", (apart, none), safe)


def is_safe(
    divisor: str, producers: Mapping[str, pb.NodeProto], constants: Mapping[str, pb.TensorProto]
) -> bool:
    """Tell whether a divisor is made by nothing but the nodes of `safe_divisor`."""
    answer, mark, _ = divisor.rpartition(part("", "safe"))
    apart = producers.get(part(answer, "apart"))
    if not mark or apart is None or len(apart.input) != 3:
        return False
    return any(
        all(constants.get(each.name) == each for each in guard_constants(kind))
        and all(
            producers.get(each.output[0]) == each
            for each in safe_divisor(apart.input[2], answer, kind)
        )
        for kind in DTYPES
    )


def _node(
    operator: str, inputs: tuple[str, ...], output: str, *attributes: pb.AttributeProto
) -> pb.NodeProto:
    return pb.NodeProto(
        op_type=operator, input=inputs, output=[output], name=output, attribute=attributes
    )
