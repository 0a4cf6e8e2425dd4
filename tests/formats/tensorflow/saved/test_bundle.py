"""Variables by their keys, with their checksums."""

import numpy as np
import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.tensorflow.saved.bundle import Bundle
from modelstream.wire.proto import tensorflow_subset_pb2 as pb
from tests.support.tensorflow import FLOAT, shape, to_bytes
from tests.support.tensorflow_saved import INDEX, SHARD, table, variables

VALUES = {"kernel": [[1.0, 2.0], [3.0, 4.0]], "kernel/bias": [5.0], "step": 7.0}


def indexed(entry: pb.BundleEntryProto, header: pb.BundleHeaderProto | None = None) -> Bundle:
    header = header or pb.BundleHeaderProto(num_shards=1)
    files = variables(VALUES)
    files[INDEX] = table([[(b"", to_bytes(header)), (b"w", to_bytes(entry))]])
    return Bundle(files)


def test_variables_are_found_by_their_keys() -> None:
    bundle = Bundle(variables(VALUES))
    for key, value in VALUES.items():
        np.testing.assert_array_equal(bundle.tensor(key), np.asarray(value, np.float32))


def test_a_damaged_variable_is_refused() -> None:
    files = variables(VALUES)
    files[SHARD] = files[SHARD][:1] + b"\xff" + files[SHARD][2:]
    bundle = Bundle(files)
    assert bundle.tensor("step") == 7
    with pytest.raises(InvalidModel, match="'kernel' is damaged"):
        bundle.tensor("kernel")


def test_a_variable_that_is_nowhere_is_named() -> None:
    with pytest.raises(InvalidModel, match="no variable 'k'"):
        Bundle({}).tensor("k")
    files = variables(VALUES)
    del files[SHARD]
    with pytest.raises(InvalidModel, match=r"no 'variables/variables\.data-00000-of-00001'"):
        Bundle(files).tensor("step")


@pytest.mark.parametrize(("offset", "size"), [(30, 4), (-4, 4), (0, 2**40), (8, -4)])
def test_a_place_beyond_the_shard_is_refused(offset: int, size: int) -> None:
    entry = pb.BundleEntryProto(dtype=FLOAT, shape=shape([1]), offset=offset, size=size)
    with pytest.raises(InvalidModel, match="beyond the end"):
        indexed(entry).tensor("w")


def test_what_is_written_in_another_way_is_refused() -> None:
    parts = pb.BundleEntryProto(dtype=FLOAT, slices=[pb.TensorSlice()])
    with pytest.raises(UnsupportedModel, match="several parts"):
        indexed(parts).tensor("w")
    with pytest.raises(UnsupportedModel, match="big end first"):
        indexed(parts, pb.BundleHeaderProto(num_shards=1, endianness=1))


def test_bytes_that_are_no_messages_are_refused() -> None:
    files = {INDEX: table([[(b"", b"\xff"), (b"w", b"\xff")]])}
    with pytest.raises(InvalidModel, match="no header"):
        Bundle(files)
    files = {INDEX: table([[(b"", b""), (b"w", b"\xff")]])}
    with pytest.raises(InvalidModel, match="'w' cannot be found"):
        Bundle(files).tensor("w")
