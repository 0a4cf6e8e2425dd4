"""Every operation answers what TensorFlow answers, on plain numbers and on those that are special."""

import msgspec
import numpy as np
import pytest

from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.plan import decode_plan, encode_plan
from modelstream.formats.tensorflow import GraphDefFormat
from modelstream.formats.tensorflow.operators import OPERATORS
from modelstream.formats.tensorflow.saved.archive import GRAPH, unpack
from modelstream.formats.tensorflow.saved.signature import served_graph
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow_answers import operations, saved_models

# Other names of operations that are tried, or ones that only old exporters write.
ALIASES = {
    "BatchMatMul",
    "BatchMatMulV3",
    "Concat",
    "FusedBatchNorm",
    "FusedBatchNormV2",
    "Gather",
    "IdentityN",
    "LogicalXor",
    "PlaceholderWithDefault",
    "PreventGradient",
    "ResourceGather",
    "Snapshot",
    "Variable",
    "VariableV2",
}


def taking_nan(lowered: bytes) -> bytes:
    """Let every float be missing: what an operation makes of NaN is to be seen."""
    plan = decode_plan(lowered)
    inputs = tuple(
        msgspec.structs.replace(each, optional=each.columns)
        if each.element.startswith("float")
        else each
        for each in plan.inputs
    )
    return encode_plan(msgspec.structs.replace(plan, inputs=inputs))


@pytest.mark.parametrize("name", operations())
def test_an_operation_answers_what_tensorflow_answers(name: str) -> None:
    answer = operations()[name]
    chosen = GraphDefFormat()
    assert chosen.recognises(answer.model)
    model = chosen.load(taking_nan(chosen.lower(answer.model, Hints())))
    scores = model.score(answer.columns())
    assert scores.errors == {}
    assert list(scores) == list(answer.expected())
    for output, expected in answer.expected().items():
        assert scores[output].dtype.kind == expected.dtype.kind
        np.testing.assert_allclose(scores[output], expected, rtol=2e-6, atol=1e-6)


def operations_in(graph: pb.GraphDef) -> set[str]:
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    return {node.op for node in nodes}


def test_every_operation_is_tried() -> None:
    tried = set().union(
        *(operations_in(pb.GraphDef.FromString(each.model)) for each in operations().values())
    )
    for each in saved_models().values():
        tried |= operations_in(served_graph(unpack(each.model)[GRAPH]).graph_def)
    assert set(OPERATORS) - tried == ALIASES
