"""Model descriptors as bytes: ours, older publishers', and whatever else arrives."""

import dataclasses
import math
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from modelstream import limits
from modelstream.errors import InvalidMessage
from modelstream.wire.descriptor import (
    FORMAT_NAMES,
    Action,
    GoldenRecord,
    ModelDescriptor,
    decode_descriptor,
    encode_descriptor,
)
from modelstream.wire.proto import modelstream_pb2 as pb

PLAIN = ModelDescriptor(name="forest", data_type="wine", format="pmml", data=b"<PMML/>")
DIGEST = "0123456789abcdef" * 4

text = st.text(max_size=20)
printable = st.text(max_size=20).filter(
    lambda each: each.isprintable() and (not each or each.strip())
)
finite = st.floats(allow_nan=False, allow_infinity=False)
golden = st.builds(GoldenRecord, text, text, finite.map(abs))
common: dict[str, Any] = {
    "name": printable.filter(bool),
    "description": text,
    "data_type": printable,
    "version": printable,
    "digest": st.sampled_from(["", DIGEST]),
    "created_at_ms": st.integers(0, 2**63 - 1),
    "feature_names": st.lists(text, max_size=4).map(tuple),
    "labels": st.lists(text, max_size=4).map(tuple),
    "metrics": st.dictionaries(text, finite, max_size=4),
    "golden": st.lists(golden, max_size=3).map(tuple),
    "publisher": printable,
    "signature": st.binary(max_size=64),
    "key_id": printable,
    "signature_name": printable,
}
bringing: dict[str, Any] = {
    **common,
    "format": st.sampled_from(FORMAT_NAMES["canonical"]),
    "action": st.sampled_from([Action.PUBLISH, Action.STAGE]),
}
descriptors = st.one_of(
    st.builds(ModelDescriptor, data=st.binary(min_size=1, max_size=50), **bringing),
    st.builds(ModelDescriptor, location=printable.filter(bool), **bringing),
    st.builds(
        ModelDescriptor,
        action=st.sampled_from([Action.PROMOTE, Action.ROLLBACK, Action.RETIRE]),
        **common,
    ),
)


def older_message(**fields: Any) -> bytes:
    """Encode as an older publisher does: fields 1 to 6 alone, by a message made here."""
    proto = descriptor_pb2.FileDescriptorProto(name="older.proto", package="older", syntax="proto3")
    made = proto.message_type.add(name="ModelDescriptor")
    made.oneof_decl.add(name="content")
    kinds = {"string": 9, "int32": 5, "bytes": 12}
    for number, (name, kind) in enumerate(
        [
            ("name", "string"),
            ("description", "string"),
            ("dataType", "string"),
            ("modeltype", "int32"),
            ("data", "bytes"),
            ("location", "string"),
        ],
        start=1,
    ):
        field = made.field.add(name=name, number=number, type=kinds[kind], label=1)
        if number > 4:
            field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName("older.ModelDescriptor"))
    data: bytes = message(**fields).SerializeToString()
    return data


@given(descriptors)
def test_a_descriptor_comes_back_as_it_was(descriptor: ModelDescriptor) -> None:
    assert decode_descriptor(encode_descriptor(descriptor)) == descriptor


@given(descriptors)
def test_equal_descriptors_give_equal_bytes(descriptor: ModelDescriptor) -> None:
    turned = dict(reversed(list(descriptor.metrics.items())))
    again = dataclasses.replace(descriptor, metrics=turned)
    assert encode_descriptor(again) == encode_descriptor(descriptor)


def test_the_bytes_of_an_older_publisher_decode_as_they_are() -> None:
    by_hand = (
        b"\x0a\x1adata/optimized_WineQuality"
        b"\x12\x19generated from TensorFlow"
        b"\x1a\x04wine"
        b"\x2a\x03abc"  # modeltype 0 is not written
    )
    assert decode_descriptor(by_hand) == ModelDescriptor(
        name="data/optimized_WineQuality",
        description="generated from TensorFlow",
        data_type="wine",
        format="tensorflow",
        data=b"abc",
    )


@given(
    name=printable.filter(bool),
    description=text,
    data_type=printable,
    number=st.integers(0, len(FORMAT_NAMES["canonical"]) - 1),
    data=st.binary(min_size=1, max_size=100),
)
def test_an_independent_encoder_is_understood(
    name: str, description: str, data_type: str, number: int, data: bytes
) -> None:
    message = older_message(
        name=name, description=description, dataType=data_type, modeltype=number, data=data
    )
    assert decode_descriptor(message) == ModelDescriptor(
        name=name,
        description=description,
        data_type=data_type,
        format=FORMAT_NAMES["canonical"][number],
        data=data,
    )


def test_a_location_of_an_older_publisher_is_kept() -> None:
    message = older_message(name="saved", modeltype=1, location="data/saved/1")
    decoded = decode_descriptor(message)
    assert (decoded.location, decoded.data, decoded.format) == (
        "data/saved/1",
        None,
        "tensorflow-saved",
    )


def test_what_we_write_is_what_an_older_reader_expects() -> None:
    older = older_message(name="forest", dataType="wine", modeltype=2, data=b"<PMML/>")
    assert encode_descriptor(PLAIN) == older


def test_the_number_of_pmml_depends_on_the_dialect() -> None:
    message = older_message(name="m", modeltype=1, data=b"x")
    assert decode_descriptor(message).format == "tensorflow-saved"
    assert decode_descriptor(message, "pmml1").format == "pmml"
    assert decode_descriptor(older_message(name="m", data=b"x"), "pmml1").format == "tensorflow"
    with pytest.raises(InvalidMessage, match="modeltype 2 is not known here"):
        decode_descriptor(older_message(name="m", modeltype=2, data=b"x"), "pmml1")


def test_the_tables_are_those_of_the_protocol() -> None:
    kinds = pb.ModelDescriptor.ModelType
    numbers = {
        name.lower().replace("-", ""): at for at, name in enumerate(FORMAT_NAMES["canonical"])
    }
    assert {name.lower(): number for name, number in kinds.items()} == numbers
    actions = {action.name: at for at, action in enumerate(Action)}
    assert dict(pb.ModelDescriptor.Action.items()) == actions


def test_fields_that_are_not_known_are_ignored() -> None:
    unknown = b"\x3a\x04\x08\x01\x10\x02" + b"\xfa\x3e\x02hi"  # 7, as one publisher has, and 1007
    assert decode_descriptor(encode_descriptor(PLAIN) + unknown) == PLAIN


@pytest.mark.parametrize(
    "name", ["data/optimized_WineQuality", "my model (v 2)", "Größe", "a" * 128]
)
def test_names_are_kept_as_they_are(name: str) -> None:
    named = dataclasses.replace(PLAIN, name=name)
    assert decode_descriptor(encode_descriptor(named)).name == name


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": ""}, "name is blank"),
        ({"name": "   "}, "name is blank"),
        ({"name": "a\nb"}, "name 'a\\\\nb' has control characters"),
        ({"name": "a\x00"}, "control characters"),
        ({"name": "a\u202eb"}, "control characters"),
        ({"name": "a" * 129}, "129 characters, 128 are allowed"),
        ({"data_type": "a\tb"}, "data_type"),
        ({"version": " "}, "version is blank"),
        ({"publisher": "a" * 129}, "publisher has 129"),
        ({"data": None}, "given as data or as location"),
        ({"data": b""}, "given as data or as location"),
        ({"location": "file:a"}, "one of the two"),
        ({"data": None, "location": "a" * 2049}, "location has 2049"),
        ({"format": ""}, "format '' cannot be told"),
        ({"format": "h2o"}, "format 'h2o' cannot be told; known are tensorflow"),
        ({"description": "a" * 10_001}, "10001 characters, 10000 are allowed"),
        ({"digest": "ABC"}, "sha-256"),
        ({"digest": DIGEST.upper()}, "lower-case"),
        ({"created_at_ms": -1}, "created_at_ms -1"),
        ({"created_at_ms": 2**63}, "is not a time"),
        ({"metrics": {"auc": math.nan}}, "not a finite number"),
        ({"metrics": {str(at): 1.0 for at in range(101)}}, "101 metrics are given, 100"),
        ({"feature_names": ("a",) * 10_001}, "10001 feature_names"),
        ({"labels": ("a",) * 10_001}, "10001 labels"),
        ({"signature_name": "a" * 4097}, "signature_name has 4097"),
        ({"golden": (GoldenRecord("{}", "{}"),) * 101}, "101 golden"),
        ({"golden": (GoldenRecord("{}", "{}", -1.0),)}, "tolerance"),
        ({"golden": (GoldenRecord("{}", "{}", math.inf),)}, "tolerance"),
        ({"action": Action.PROMOTE}, "promote brings no model"),
        ({"description": "\ud800"}, "cannot be written"),
        ({"data": b"x" * limits.RECORD_BYTES_MAX}, "publish a large model by its location"),
    ],
)
def test_a_descriptor_that_breaks_a_rule_is_not_written(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidMessage, match=why):
        encode_descriptor(dataclasses.replace(PLAIN, **change))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "empty"),
        (b"\xff\xff\xff", "not a ModelDescriptor in protobuf"),
        (b'{"name": "m"}', "not a ModelDescriptor in protobuf"),
        (b"\x0a\x02\xff\xfe", "UTF-8"),
        (b"\x00" * (limits.RECORD_BYTES_MAX + 1), "bytes, 1048576 are allowed"),
        (older_message(modeltype=2, data=b"x"), "name is blank"),
        (older_message(name="m", modeltype=2), "given as data or as location"),
        (older_message(name="m", modeltype=10, data=b"x"), r"modeltype 10 .* 2 \(pmml\)"),
        (older_message(name="m", modeltype=-1, data=b"x"), "modeltype -1"),
        (older_message(name="m\x07", data=b"x"), "control characters"),
        (older_message(name="m", data=b"x") + b"\xc0\x01\x09", "action 9 is not known"),
        (older_message(name="m", data=b"x") + b"\xc0\x01\x02", "promote brings no model"),
    ],
)
def test_a_message_that_is_no_descriptor_is_refused_with_the_reason(
    message: bytes, why: str
) -> None:
    with pytest.raises(InvalidMessage, match=why):
        decode_descriptor(message)


def test_a_rollback_needs_no_name() -> None:
    rollback = ModelDescriptor(action=Action.ROLLBACK, data_type="wine")
    assert decode_descriptor(encode_descriptor(rollback)) == rollback
    with pytest.raises(InvalidMessage, match="name is blank"):
        encode_descriptor(ModelDescriptor(action=Action.PROMOTE))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_descriptor_or_an_invalid_message(data: bytes) -> None:
    try:
        decoded = decode_descriptor(data)
    except InvalidMessage:
        return
    assert decode_descriptor(encode_descriptor(decoded)) == decoded


@given(descriptors, st.data())
def test_changed_bytes_are_a_descriptor_or_an_invalid_message(
    descriptor: ModelDescriptor, data: st.DataObject
) -> None:
    message = bytearray(encode_descriptor(descriptor))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] = data.draw(st.integers(0, 255))
    kept = bytes(message[: data.draw(st.integers(0, len(message)))])
    try:
        decoded = decode_descriptor(kept)
    except InvalidMessage:
        return
    assert decode_descriptor(encode_descriptor(decoded)) == decoded
