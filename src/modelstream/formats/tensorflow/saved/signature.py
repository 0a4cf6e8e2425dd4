"""Which graph of a SavedModel is served, and which of its signatures: its inputs and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.onnx_graph.writer import Declared
from modelstream.formats.tensorflow.graph import read_ref
from modelstream.formats.tensorflow.nodes import Ref
from modelstream.formats.tensorflow.tensors import numpy_type, read_shape
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_TAG = "serve"
# The signatures to take first, where a model has several: TensorFlow's own name for the one to
# serve, and the name that older tutorials gave it.
_FIRST = ("serving_default", "predict")
_INTERNAL = "__saved_model"
_FILLING = "__saved_model_init_op"
_TOLD_MAX = 10


@dataclass(frozen=True, slots=True)
class Signature:
    """A part of a graph by the names that its users know."""

    name: str
    inputs: dict[Ref, Declared]
    outputs: list[tuple[str, Ref]]


def served_graph(data: bytes) -> pb.MetaGraphDef:
    """Return the graph that is tagged to be served. Raises InvalidModel."""
    try:
        saved = pb.SavedModel.FromString(data)
    except DecodeError as error:
        raise InvalidModel(f"saved_model.pb cannot be read: {error}") from None
    tags = [list(each.meta_info_def.tags) for each in saved.meta_graphs]
    served = [at for at, each in enumerate(tags) if _TAG in each]
    if not served:
        raise InvalidModel(f"no graph of the SavedModel has the tag {_TAG!r}; it has {tags[:10]}")
    # A graph for other hardware has more tags.
    return saved.meta_graphs[min(served, key=lambda at: len(tags[at]))]


def choose_signature(signatures: Mapping[str, pb.SignatureDef], wanted: str = "") -> Signature:
    """Return the signature of a name; without one the default, or the only one.

    Raises InvalidModel, UnsupportedModel.
    """
    names = sorted(name for name in signatures if not name.startswith(_INTERNAL))
    told = ", ".join(names[:_TOLD_MAX]) or "none"
    if wanted and wanted not in names:
        raise InvalidModel(f"the SavedModel has no signature {wanted[:200]!r}; it has {told}")
    only = names[0] if len(names) == 1 else ""
    chosen = wanted or next((name for name in _FIRST if name in names), only)
    if not chosen:
        raise InvalidModel(
            f"the SavedModel has no signature {_FIRST[0]!r}, and not one alone; it has {told}; "
            "choose one of them (signature=..., --signature)"
        )
    return read_signature(chosen, signatures[chosen])


def filling_node(signatures: Mapping[str, pb.SignatureDef]) -> str:
    """Return the node that fills the tables of a SavedModel of TensorFlow 2, or nothing."""
    filling = signatures.get(_FILLING)
    names = [each.name for each in filling.outputs.values()] if filling is not None else []
    return read_ref(names[0]).node if names and names[0] else ""


def read_signature(name: str, signature: pb.SignatureDef) -> Signature:
    """Return a signature, with its names in order. Raises InvalidModel, UnsupportedModel."""
    inputs = {
        _ref(key, each): _declared(key, each) for key, each in sorted(signature.inputs.items())
    }
    outputs = [(key, _ref(key, each)) for key, each in sorted(signature.outputs.items())]
    if not outputs:
        raise InvalidModel(f"the signature {name!r} has no outputs")
    if len(inputs) < len(signature.inputs):
        raise UnsupportedModel(f"the signature {name!r} has two names for one input")
    return Signature(name, inputs, outputs)


def _ref(key: str, tensor: pb.TensorInfo) -> Ref:
    if not tensor.name:
        raise UnsupportedModel(f"{key!r} of the signature is no plain tensor")
    return read_ref(tensor.name)


def _declared(key: str, tensor: pb.TensorInfo) -> Declared:
    return Declared(key, numpy_type(tensor.dtype), read_shape(tensor.tensor_shape))
