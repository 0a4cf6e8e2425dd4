"""The element types of tensors in the words of the two protocols."""

from modelstream.errors import UnsupportedModel
from modelstream.formats.onnx_graph.plan import Element

# Open Inference Protocol v2, "Tensor Data Types".
_OIP: dict[str, Element] = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "string",
}
# TensorFlow's `DataType`, as its JSON names them.
_TENSORFLOW: dict[str, Element] = {
    "DT_BOOL": "bool",
    "DT_UINT8": "uint8",
    "DT_UINT16": "uint16",
    "DT_UINT32": "uint32",
    "DT_INT8": "int8",
    "DT_INT16": "int16",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_HALF": "float16",
    "DT_FLOAT": "float32",
    "DT_DOUBLE": "float64",
    "DT_STRING": "string",
}
_TO_OIP = {element: word for word, element in _OIP.items()}


def oip_element(tensor: str, word: str) -> Element:
    """Return an element type that the Open Inference Protocol names. Raises UnsupportedModel."""
    return _known(tensor, word, _OIP)


def tensorflow_element(tensor: str, word: str) -> Element:
    """Return an element type that TensorFlow Serving names. Raises UnsupportedModel."""
    return _known(tensor, word, _TENSORFLOW)


def oip_word(element: Element) -> str:
    """Return the word of the Open Inference Protocol."""
    return _TO_OIP[element]


def _known(tensor: str, word: str, words: dict[str, Element]) -> Element:
    if word not in words:
        raise UnsupportedModel(
            f"tensor {tensor!r} is of {word[:40]!r}; columns are of {', '.join(words)}"
        )
    return words[word]
