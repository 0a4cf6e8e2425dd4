"""Values of a TensorFlow graph on their way into an ONNX graph.

A constant is written into the graph only where a node reads it: most are axes and shapes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from modelstream import limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.onnx_graph.writer import Attribute, GraphWriter, onnx_type
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.tensors import Array


@dataclass(frozen=True, slots=True)
class Value:
    """One output of a node: a value of the ONNX graph, a constant, or a variable's handle.

    `rows_of` is the input that it has the rows of, number by number.
    """

    name: str = ""
    constant: Array | None = None
    variable: str = ""
    rows_of: str = ""


Operand = Value | Array
Values = tuple[Value, ...]


class Emitter:
    """Writes ONNX nodes. `variables` are the values of the variables, by their nodes' names."""

    def __init__(self, writer: GraphWriter, variables: Mapping[str, Array]) -> None:
        self.writer = writer
        self.variables = variables
        self.widths: dict[str, int] = {}  # numbers in a row of an input, as its readers need it
        self._written: dict[int, tuple[Array, str]] = {}

    def one(self, operator: str, *operands: Operand, **attributes: Attribute) -> Value:
        """Add an ONNX node with one output."""
        return self.many(operator, 1, *operands, **attributes)[0]

    def many(
        self, operator: str, outputs: int, *operands: Operand, **attributes: Attribute
    ) -> Values:
        """Add an ONNX node with several outputs. Raises InvalidModel."""
        if not 1 <= outputs <= limits.FIELDS_MAX:
            raise InvalidModel(f"a node with {outputs} outputs")
        inputs = [self.name(each) for each in operands]
        return tuple(
            Value(name) for name in self.writer.node(operator, inputs, outputs, **attributes)
        )

    def name(self, operand: Operand) -> str:
        """Return an operand's name in the ONNX graph; a constant gets one."""
        array = operand.constant if isinstance(operand, Value) else operand
        if array is None:
            if isinstance(operand, Value) and operand.name:
                return operand.name
            raise UnsupportedModel("a variable is used where its value cannot be read")
        if array.dtype.kind == "O":
            raise UnsupportedModel("constants of strings are not evaluated")
        if not isinstance(operand, Value):
            return self.writer.constant(array)
        if id(array) not in self._written:
            # Held with its name, so that no other array gets its identity.
            self._written[id(array)] = (array, self.writer.constant(array))
        return self._written[id(array)][1]

    def int64(self, value: Value) -> Operand:
        """Return a list of whole numbers, or a single one as a list, as ONNX takes them."""
        if value.constant is not None:
            return whole(value.constant).reshape(-1)
        return self.one("Reshape", self.cast(value, "int64"), np.array([-1], np.int64))

    def cast(self, value: Operand, dtype: str) -> Value:
        """Convert to another type of number, by NumPy's name of it."""
        return self.one("Cast", value, to=onnx_type(np.dtype(dtype)))

    def rows(self, value: Value, source: Value) -> Value:
        """Return a value marked to have the rows of another."""
        return replace(value, rows_of=source.rows_of)


Translate = Callable[[Emitter, Node, Values], Values]


@dataclass(frozen=True, slots=True)
class Operator:
    """How one operation of TensorFlow is written. `inputs`: how many it has; None: some."""

    translate: Translate
    inputs: int | None


def whole(array: Array) -> Array:
    """Return whole numbers as int64. Raises InvalidModel where they are not."""
    if array.dtype.kind not in "iu" or array.size > limits.FIELDS_MAX:
        raise InvalidModel("an axis or a shape is not a short list of whole numbers")
    return array.astype(np.int64)


def constant(node: Node, value: Value, what: str) -> Array:
    """Return a value that must not depend on the records. Raises UnsupportedModel."""
    if value.constant is None:
        raise UnsupportedModel(f"{node}: {what} is computed; only a constant one is evaluated")
    return value.constant


def integers(node: Node, value: Value, what: str) -> list[int]:
    """Return constant whole numbers. Raises InvalidModel, UnsupportedModel."""
    numbers: list[int] = whole(constant(node, value, what)).reshape(-1).tolist()
    return numbers


def integer(node: Node, value: Value, what: str) -> int:
    """Return one constant whole number. Raises InvalidModel, UnsupportedModel."""
    numbers = integers(node, value, what)
    if len(numbers) != 1:
        raise InvalidModel(f"{node}: {what} is not one number")
    return numbers[0]
