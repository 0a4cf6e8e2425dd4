"""ONNX models, scored by ONNX Runtime on the CPU.

Read `format` first: it shows the way from an artifact to a model. `guard` says what is refused,
`graph` what is edited, `trial` how a batch is proved to be rows, `signature` how tensors get
column names, and `bind` and `model` are what runs for every batch.
"""

from modelstream.formats.onnx.format import OnnxFormat

__all__ = ["OnnxFormat"]
