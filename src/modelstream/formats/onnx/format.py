"""The ONNX format: from an untrusted artifact to a checked plan, from a plan to a model."""

from modelstream.formats.base import Device, Hints
from modelstream.formats.onnx_graph.graph import parse_graph
from modelstream.formats.onnx_graph.lowering import load_graph, lower_graph
from modelstream.formats.onnx_graph.model import OnnxModel

# A ModelProto begins with its IR version (field 1, a small number), then a field that it has.
_IR_VERSION_TAG = 0x08
_NEXT_TAGS = frozenset(b"\x12\x1a\x22\x28\x32\x3a\x42\x72")


class OnnxFormat:
    """ONNX models of standard operators, in one self-contained message."""

    name = "onnx"

    def __init__(self, device: Device = "cpu") -> None:
        self._device = device

    def recognises(self, data: bytes) -> bool:
        """Tell by the first three bytes; a SavedModel's differ in the version (it has 1)."""
        return (
            len(data) > 2 and data[0] == _IR_VERSION_TAG and data[1] > 2 and data[2] in _NEXT_TAGS
        )

    def lower(self, data: bytes, hints: Hints) -> bytes:
        """Check an artifact, make it take plain batches, and name its columns.

        Raises InvalidModel, UnsupportedModel.
        """
        model = parse_graph(data)
        return lower_graph(model, hints, name=self.name, version=f"IR {model.ir_version}")

    def load(self, lowered: bytes) -> OnnxModel:
        """Build the model. Raises InvalidModel."""
        return load_graph(lowered, self._device)
