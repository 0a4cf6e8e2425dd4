"""Damaged TensorFlow models: bytes that are changed, and messages whose parts are mixed up."""

import random
from collections.abc import Callable

from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import to_bytes

Mutation = Callable[[random.Random, pb.GraphDef], None]


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Return bytes of which some are set, cut out, or there twice."""
    for _ in range(rng.randint(1, 4)):
        at, size = rng.randrange(len(data) + 1), rng.randint(1, 40)
        match rng.randrange(4):
            case 0:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + size :]
            case 2:
                data = data[: at + size] + data[at:]
            case _:
                data = data[:at] + rng.randbytes(size) + data[at + size :]
    return data


def mixed_up(rng: random.Random, data: bytes) -> bytes:
    """Return a graph that is still a message, some of whose nodes are not what they were."""
    graph = pb.GraphDef.FromString(data)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_MUTATIONS)(rng, graph)
    return to_bytes(graph)


def _nodes(graph: pb.GraphDef) -> list[pb.NodeDef]:
    bodies = [node for each in graph.library.function for node in each.node_def]
    return [*graph.node, *bodies]


def _other_operation(rng: random.Random, graph: pb.GraphDef) -> None:
    one, other = rng.choices(_nodes(graph), k=2)
    one.op = other.op


def _other_input(rng: random.Random, graph: pb.GraphDef) -> None:
    one, other = rng.choices(_nodes(graph), k=2)
    text = rng.choice([other.name, f"{other.name}:{rng.randrange(3)}", f"^{other.name}", ":", ""])
    if one.input and rng.random() < 0.7:
        one.input[rng.randrange(len(one.input))] = text
    else:
        one.input.append(text)


def _fewer_inputs(rng: random.Random, graph: pb.GraphDef) -> None:
    one = rng.choice(_nodes(graph))
    del one.input[rng.randrange(len(one.input) + 1) :]


def _other_attribute(rng: random.Random, graph: pb.GraphDef) -> None:
    one, other = rng.choices(_nodes(graph), k=2)
    if other.attr and one.attr:
        name = rng.choice(sorted(one.attr))
        one.attr[name].CopyFrom(other.attr[rng.choice(sorted(other.attr))])


def _other_number(rng: random.Random, graph: pb.GraphDef) -> None:
    one = rng.choice(_nodes(graph))
    if not one.attr:
        return
    attribute = one.attr[rng.choice(sorted(one.attr))]
    number = rng.choice([-1, 0, 1, 2, 3, 7, 2**31 - 1, -(2**31)])
    match attribute.WhichOneof("value"):
        case "i":
            attribute.i = number
        case "type":
            attribute.type = number
        case "b":
            attribute.b = not attribute.b
        case "shape":
            attribute.shape.dim.add(size=number)
        case "list" if attribute.list.i:
            attribute.list.i[rng.randrange(len(attribute.list.i))] = number
        case "tensor":
            _other_tensor(rng, attribute.tensor, number)


def _other_tensor(rng: random.Random, tensor: pb.TensorProto, number: int) -> None:
    match rng.randrange(3):
        case 0:
            tensor.dtype = rng.randrange(24)
        case 1:
            tensor.tensor_shape.dim.add(size=number)
        case _:
            tensor.tensor_content = rng.randbytes(len(tensor.tensor_content))


def _without(rng: random.Random, graph: pb.GraphDef) -> None:
    del graph.node[rng.randrange(len(graph.node))]
    if not graph.node:
        graph.node.add(name="x", op="Placeholder")


_MUTATIONS: list[Mutation] = [
    _other_operation,
    _other_input,
    _fewer_inputs,
    _other_attribute,
    _other_number,
    _without,
]
