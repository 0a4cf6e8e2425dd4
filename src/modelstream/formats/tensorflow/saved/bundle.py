"""The variables of a checkpoint: an index of where each is, and shards of their bytes.

The files are TensorFlow's tensor bundle (tensor_bundle.proto); every checksum is checked.
"""

from collections.abc import Mapping

from google.protobuf.message import DecodeError

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.saved.crc32c import masked_crc32c
from modelstream.formats.tensorflow.saved.table import read_table
from modelstream.formats.tensorflow.tensors import Array, fixed_shape, from_bytes, numpy_type
from modelstream.wire.proto import tensorflow_subset_pb2 as pb

_PREFIX = "variables/variables"


class Bundle:
    """A checkpoint inside an archive. Raises InvalidModel, UnsupportedModel."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        index = files.get(f"{_PREFIX}.index")
        self._entries = {} if index is None else read_table(index)
        header = _header(self._entries.pop(b"", b""))
        if header.endianness:
            raise UnsupportedModel("the variables are written with the big end first")
        self._shards = header.num_shards

    def tensor(self, key: str) -> Array:
        """Return a variable by its key. Raises InvalidModel, UnsupportedModel."""
        written = self._entries.get(key.encode())
        if written is None:
            raise InvalidModel(f"the checkpoint has no variable {key[:200]!r}")
        entry = _entry(written, key)
        if entry.slices:
            raise UnsupportedModel(f"the variable {key[:200]!r} is written in several parts")
        data = self._bytes(entry, key)
        if masked_crc32c(data) != entry.crc32c:
            raise InvalidModel(f"the variable {key[:200]!r} is damaged: its checksum is wrong")
        return from_bytes(data, numpy_type(entry.dtype), fixed_shape(entry.shape))

    def _bytes(self, entry: pb.BundleEntryProto, key: str) -> bytes:
        name = f"{_PREFIX}.data-{entry.shard_id:05d}-of-{self._shards:05d}"
        shard = self._files.get(name)
        if shard is None:
            raise InvalidModel(f"the archive has no {name!r}, which has the variable {key[:200]!r}")
        end = entry.offset + entry.size
        if not 0 <= entry.offset <= end <= len(shard):
            raise InvalidModel(f"the variable {key[:200]!r} is beyond the end of {name!r}")
        return shard[entry.offset : end]


def _header(data: bytes) -> pb.BundleHeaderProto:
    try:
        return pb.BundleHeaderProto.FromString(data)
    except DecodeError as error:
        raise InvalidModel(f"the index of the variables has no header: {error}") from None


def _entry(data: bytes, key: str) -> pb.BundleEntryProto:
    try:
        return pb.BundleEntryProto.FromString(data)
    except DecodeError as error:
        raise InvalidModel(f"the variable {key[:200]!r} cannot be found: {error}") from None
