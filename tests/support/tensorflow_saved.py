"""SavedModels made by hand, as the files of their directories, without TensorFlow."""

import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelstream.formats.tensorflow.saved.crc32c import masked_crc32c
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import (
    FLOAT,
    constant,
    graph,
    node,
    placeholder,
    shape,
    tensor,
    to_bytes,
)

INDEX, SHARD = "variables/variables.index", "variables/variables.data-00000-of-00001"
MAGIC = bytes.fromhex("57fb808b247547db")


def info(name: str, sizes: Sequence[int] = (-1, 2), kind: int = FLOAT) -> pb.TensorInfo:
    """Return one input or output of a signature."""
    return pb.TensorInfo(name=name, dtype=kind, tensor_shape=shape(sizes))


def signature(inputs: Mapping[str, pb.TensorInfo], outputs: Mapping[str, pb.TensorInfo]) -> Any:
    """Return a signature."""
    return pb.SignatureDef(inputs=dict(inputs), outputs=dict(outputs))


def saved_model(
    made: pb.GraphDef,
    signatures: Mapping[str, pb.SignatureDef],
    *,
    restoring: str = "",
    tags: Sequence[str] = ("serve",),
) -> bytes:
    """Return saved_model.pb."""
    meta = pb.MetaGraphDef(graph_def=made, signature_def=dict(signatures))
    meta.meta_info_def.tags.extend(tags)
    meta.meta_info_def.tensorflow_version = "1.15.0"
    meta.saver_def.restore_op_name = restoring
    return to_bytes(pb.SavedModel(saved_model_schema_version=1, meta_graphs=[meta]))


def block(entries: Sequence[tuple[bytes, bytes]], kind: int = 0) -> bytes:
    """Return a block of a table; keys are written with what they share with the one before."""
    data, before = b"", b""
    for key, value in entries:
        shared = next(
            (at for at, (a, b) in enumerate(zip(key, before, strict=False)) if a != b),
            min(len(key), len(before)),
        )
        numbers = varint(shared) + varint(len(key) - shared) + varint(len(value))
        data += numbers + key[shared:] + value
        before = key
    data += (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes([kind])
    return data + masked_crc32c(data).to_bytes(4, "little")


def table(blocks: Sequence[Sequence[tuple[bytes, bytes]]]) -> bytes:
    """Return a table of some data blocks."""
    data, index = b"", []
    for entries in blocks:
        written = block(entries)
        index.append((entries[-1][0] + b"~", varint(len(data)) + varint(len(written) - 5)))
        data += written
    written = block(index)
    footer = varint(0) + varint(0) + varint(len(data)) + varint(len(written) - 5)
    return data + written + footer.ljust(40, b"\0") + MAGIC


def varint(value: int) -> bytes:
    """Return a number in groups of seven bits."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])


def variables(values: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files of a checkpoint of float32 variables."""
    shard = b""
    header = pb.BundleHeaderProto(num_shards=1)
    entries = [(b"", to_bytes(header))]
    for key, value in sorted(values.items()):
        array = np.asarray(value, np.float32)
        data = array.tobytes()
        entry = pb.BundleEntryProto(
            dtype=FLOAT,
            shape=shape(array.shape),
            offset=len(shard),
            size=len(data),
            crc32c=masked_crc32c(data),
        )
        entries.append((key.encode(), to_bytes(entry)))
        shard += data
    return {INDEX: table([entries]), SHARD: shard}


def restored(variable: str, key: str) -> list[pb.NodeDef]:
    """Return the nodes that give a variable of TensorFlow 1 its value from a checkpoint."""
    names = node(f"{variable}/keys", "Const")
    names.attr["value"].tensor.CopyFrom(tensor(np.array([key.encode()], object)))
    slices = node(f"{variable}/slices", "Const")
    slices.attr["value"].tensor.CopyFrom(tensor(np.array([b""], object)))
    inputs = ["file", f"{variable}/keys", f"{variable}/slices"]
    return [
        node(variable, "VariableV2"),
        node(f"{variable}/read", "Identity", [variable]),
        names,
        slices,
        node(f"{variable}/restored", "RestoreV2", inputs),
        node(f"{variable}/assigned", "Assign", [variable, f"{variable}/restored"]),
    ]


def scaled(key: str = "scale") -> dict[str, bytes]:
    """Return a model of TensorFlow 1 that answers x times a variable, which is 2 and 3."""
    made = graph(
        placeholder("x"),
        constant("file", np.array(0.0)),
        *restored("w", key),
        node("restore", "NoOp", ["^w/assigned"]),
        node("y", "Mul", ["x", "w/read"]),
    )
    asked = {"serving_default": signature({"x": info("x:0")}, {"scaled": info("y:0")})}
    graph_file = {"saved_model.pb": saved_model(made, asked, restoring="restore")}
    return {**graph_file, **variables({"scale": [2.0, 3.0]})}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w") -> bytes:
    """Return a tar archive, compressed with mode `w:gz`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
