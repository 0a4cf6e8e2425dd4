"""Fitted scikit-learn estimators to ONNX, in the process of whoever has them.

`exporter` does it in order: `sample` is what is known of the inputs, `convert` asks skl2onnx, `compare`
holds the model against the estimator. Nothing here reads a pickle, and nothing of it is used to serve.
"""

from modelstream.exporting.exporter import Exported, export, feature_names

__all__ = ["Exported", "export", "feature_names"]
