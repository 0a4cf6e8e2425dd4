"""The operations of TensorFlow that are evaluated; no other runs, least of all on files."""

from modelstream.formats.tensorflow.elementwise import ELEMENTWISE
from modelstream.formats.tensorflow.emitter import Emitter, Operator, Value, Values
from modelstream.formats.tensorflow.images import IMAGES
from modelstream.formats.tensorflow.nodes import Node
from modelstream.formats.tensorflow.products import PRODUCTS
from modelstream.formats.tensorflow.shaping import SHAPING
from modelstream.formats.tensorflow.slicing import SLICING, variable
from modelstream.formats.tensorflow.tensors import read_tensor


def _same(_emit: Emitter, _node: Node, operands: Values) -> Values:
    return operands


def _nothing(_emit: Emitter, _node: Node, _operands: Values) -> Values:
    return ()


def _constant(_emit: Emitter, node: Node, _operands: Values) -> Values:
    return (Value(constant=read_tensor(node.tensor("value"))),)


def _handle(_emit: Emitter, node: Node, _operands: Values) -> Values:
    return (Value(variable=node.name),)


def _read(emit: Emitter, node: Node, operands: Values) -> Values:
    return (variable(emit, node, operands[0]),)


def _own_value(emit: Emitter, node: Node, _operands: Values) -> Values:
    """Return the value of a variable of TensorFlow 1, which is its node's output."""
    return (variable(emit, node, Value(variable=node.name)),)


OPERATORS: dict[str, Operator] = {
    **ELEMENTWISE,
    **IMAGES,
    **PRODUCTS,
    **SHAPING,
    **SLICING,
    "Const": Operator(_constant, 0),
    "Identity": Operator(_same, 1),
    "IdentityN": Operator(_same, None),
    "NoOp": Operator(_nothing, 0),
    "PlaceholderWithDefault": Operator(_same, 1),
    "PreventGradient": Operator(_same, 1),
    "ReadVariableOp": Operator(_read, 1),
    "Snapshot": Operator(_same, 1),
    "StopGradient": Operator(_same, 1),
    "VarHandleOp": Operator(_handle, 0),
    "Variable": Operator(_own_value, 0),
    "VariableV2": Operator(_own_value, 0),
}
