"""TensorFlow models, lowered to ONNX without TensorFlow.

Read `frozen` first: it shows the way from a GraphDef to a model. `graph` finds the nodes that are
needed, `translation` rewrites them one by one, and `operators` is what each operation becomes.
`saved` adds what a SavedModel has beside its graph.
"""

from modelstream.formats.tensorflow.frozen import GraphDefFormat
from modelstream.formats.tensorflow.saved.format import SavedModelFormat

__all__ = ["GraphDefFormat", "SavedModelFormat"]
