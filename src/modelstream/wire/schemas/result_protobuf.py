"""Results as protobuf (`wire/proto/result.proto`), and back to JSON."""

import base64
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from modelstream.messages import ModelStamp, Result
from modelstream.wire.proto import result_pb2 as pb
from modelstream.wire.schemas.framing import malformed
from modelstream.wire.schemas.tensors import flat, nested, record_text

_KINDS = {bool: "boolean", int: "integer", float: "number", str: "text"}


class ProtobufResults:
    """Writes and reads results in protobuf."""

    kind = "PROTOBUF"
    # A registry takes a serialized descriptor as it takes the text of a .proto file.
    text = base64.b64encode(pb.DESCRIPTOR.serialized_pb).decode()

    def stamp(self, model: ModelStamp) -> Any:
        """Return a stamp as `write` takes it."""
        return pb.ModelStamp(**msgspec.structs.asdict(model))

    def write(self, result: Result, stamp: Any) -> bytes:
        """Return the bytes of a result; equal results give equal bytes."""
        message = pb.Result(
            model=stamp,
            data_type=result.data_type,
            topic=result.topic,
            partition=result.partition,
            offset=result.offset,
            timestamp=result.timestamp,
            record=record_text(result),
        )
        for name, value in msgspec.to_builtins(result.outputs).items():
            _set(message.outputs[name], value)
        data: bytes = message.SerializeToString(deterministic=True)
        return data

    def plain(self, data: bytes) -> Any:
        """Return a result as its JSON has it. Raises Unreadable."""
        try:
            message = pb.Result.FromString(data)
            outputs = {name: _plain(value) for name, value in message.outputs.items()}
        except (DecodeError, ValueError) as error:
            raise malformed(f"no Result in protobuf: {error}") from error
        model = message.model
        return {
            "outputs": outputs,
            "model": {
                each.name: getattr(model, each.name) for each in pb.ModelStamp.DESCRIPTOR.fields
            },
            "data_type": message.data_type,
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "timestamp": message.timestamp,
            "record": msgspec.Raw(message.record.encode()) if message.HasField("record") else None,
        }


def _set(target: Any, value: Any) -> None:
    """Put a value where it belongs; a missing one leaves its place empty."""
    if isinstance(value, list):
        shape, values = flat(value)
        target.tensor.shape.extend(shape)
        for each in values:
            _set(target.tensor.values.add(), each)
    elif value is not None:
        setattr(target, _KINDS[type(value)], value)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind != "tensor":
        return None if kind is None else getattr(value, kind)
    return nested(value.tensor.shape, [_plain(each) for each in value.tensor.values])
