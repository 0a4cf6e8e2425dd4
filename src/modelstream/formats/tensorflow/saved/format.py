"""The format `tensorflow-saved`: a SavedModel, whose directory comes as one archive."""

from collections.abc import Mapping

from modelstream.formats.base import Hints
from modelstream.formats.onnx_graph.lowering import load_graph, lower_graph
from modelstream.formats.onnx_graph.model import OnnxModel
from modelstream.formats.tensorflow.graph import read_graph
from modelstream.formats.tensorflow.saved.archive import GRAPH, is_archive, unpack
from modelstream.formats.tensorflow.saved.bundle import Bundle
from modelstream.formats.tensorflow.saved.restore import read_variables
from modelstream.formats.tensorflow.saved.signature import (
    Signature,
    choose_signature,
    served_graph,
)
from modelstream.formats.tensorflow.translation import Origin, evaluated, translate
from modelstream.wire.proto import onnx_subset_pb2 as onnx
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})


class SavedModelFormat:
    """SavedModels of TensorFlow 1 and 2. Inputs and outputs are those of the served signature."""

    name = "tensorflow-saved"

    def recognises(self, data: bytes) -> bool:
        """Tell by the first bytes and, where they can be seen, the names of the files."""
        return is_archive(data)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Rewrite the signature's graph as ONNX and lower that.

        Raises InvalidModel, UnsupportedModel.
        """
        files = unpack(data)
        meta = served_graph(files[GRAPH])
        graph = rewrite(meta, choose_signature(meta.signature_def), files)
        version = f"TensorFlow {meta.meta_info_def.tensorflow_version}".strip()
        return lower_graph(graph, hints, name=self.name, version=version)

    def load(self, lowered: bytes) -> OnnxModel:
        """Build the model. Raises InvalidModel."""
        return load_graph(lowered)


def rewrite(
    meta: pb.MetaGraphDef, signature: Signature, files: Mapping[str, bytes]
) -> onnx.ModelProto:
    """Return the ONNX graph of one signature. Raises InvalidModel, UnsupportedModel."""
    graph = read_graph(meta.graph_def)
    part = evaluated(graph, [ref for _, ref in signature.outputs], signature.inputs)
    wanted = {node.name for node in part.nodes.values() if node.op in _VARIABLES}
    variables = read_variables(graph, meta.saver_def.restore_op_name, wanted, Bundle(files))
    origin = Origin(meta.meta_info_def.tensorflow_version, (("signature", signature.name),))
    return translate(part, signature.inputs, signature.outputs, variables, origin)
