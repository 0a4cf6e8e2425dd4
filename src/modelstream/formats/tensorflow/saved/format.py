"""The format `tensorflow-saved`: a SavedModel, whose directory comes as one archive."""

from collections.abc import Mapping

from modelstream.errors import UnsupportedModel
from modelstream.formats.base import Device, Hints, Model
from modelstream.formats.onnx_graph.lowering import load_graph, lower_graph
from modelstream.formats.tensorflow.graph import read_graph
from modelstream.formats.tensorflow.native.form import is_native
from modelstream.formats.tensorflow.native.lowering import Served, lower_native
from modelstream.formats.tensorflow.native.model import load_native
from modelstream.formats.tensorflow.saved.archive import GRAPH, is_archive, unpack
from modelstream.formats.tensorflow.saved.bundle import Bundle
from modelstream.formats.tensorflow.saved.restore import read_variables
from modelstream.formats.tensorflow.saved.signature import (
    Signature,
    choose_signature,
    filling_node,
    served_graph,
)
from modelstream.formats.tensorflow.tensors import Array
from modelstream.formats.tensorflow.translation import Origin, evaluated, translate
from modelstream.wire.proto import onnx_subset_pb2 as onnx
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_VARIABLES = frozenset({"VarHandleOp", "Variable", "VariableV2"})


class SavedModelFormat:
    """SavedModels of TensorFlow 1 and 2. Inputs and outputs are those of the served signature."""

    name = "tensorflow-saved"

    def __init__(self, device: Device = "cpu") -> None:
        self._device = device

    def recognises(self, data: bytes) -> bool:
        """Tell by the first bytes and, where they can be seen, the names of the files."""
        return is_archive(data)

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Rewrite the signature's graph as ONNX and lower that, or keep it for TensorFlow.

        Raises InvalidModel, UnsupportedModel.
        """
        files = unpack(data)
        meta = served_graph(files[GRAPH])
        signature = choose_signature(meta.signature_def, hints.signature)
        version = f"TensorFlow {meta.meta_info_def.tensorflow_version}".strip()
        try:
            graph = rewrite(meta, signature, files)
            return lower_graph(graph, hints, name=self.name, version=version)
        except UnsupportedModel as why:
            return lower_native(served_part(meta, signature, files), hints, why)

    def load(self, lowered: bytes) -> Model:
        """Build the model. Raises InvalidModel."""
        return load_native(lowered) if is_native(lowered) else load_graph(lowered, self._device)


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


def served_part(meta: pb.MetaGraphDef, signature: Signature, files: Mapping[str, bytes]) -> Served:
    """Return what of a SavedModel is served by one signature, as it is."""

    def variables(wanted: set[str]) -> Mapping[str, Array]:
        restoring = meta.saver_def.restore_op_name
        return read_variables(read_graph(meta.graph_def), restoring, wanted, Bundle(files))

    return Served(
        meta.graph_def,
        signature.inputs,
        signature.outputs,
        SavedModelFormat.name,
        f"TensorFlow {meta.meta_info_def.tensorflow_version}".strip(),
        filling_node(meta.signature_def),
        variables,
    )
