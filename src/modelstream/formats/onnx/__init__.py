"""ONNX models: how their bytes are told; all else is done for every ONNX graph (`onnx_graph`)."""

from modelstream.formats.onnx.format import OnnxFormat

__all__ = ["OnnxFormat"]
