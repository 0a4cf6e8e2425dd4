"""The message that publishes a model, or moves one through its life, as bytes and as a value.

Nothing else touches the generated protobuf code. What is checked here is the message; whether its
artifact is a model is the admitter's business.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from google.protobuf.message import DecodeError

from modelstream import limits
from modelstream.errors import InvalidMessage
from modelstream.wire.proto import modelstream_pb2 as pb

Dialect = Literal["canonical", "pmml1"]

# The meaning of `modeltype`, by number. Some older publishers have PMML where others have SavedModel,
# and nothing in the bytes tells which: a flow that reads such a publisher has to say so.
FORMAT_NAMES: dict[Dialect, tuple[str, ...]] = {
    "canonical": (
        "tensorflow",
        "tensorflow-saved",
        "pmml",
        "pfa",
        "onnx",
        "xgboost",
        "lightgbm",
        "catboost",
        "pipeline",
        "remote",
    ),
    "pmml1": ("tensorflow", "pmml"),
}
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")


class Action(StrEnum):
    """What a descriptor asks for, by number on the wire; the first two bring an artifact."""

    PUBLISH = "publish"
    STAGE = "stage"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    RETIRE = "retire"
    PLAN = "plan"
    RELEASE = "release"
    MEASURE = "measure"


_BRINGING = frozenset({Action.PUBLISH, Action.STAGE})
_NAMING = _BRINGING | {Action.PROMOTE, Action.RETIRE}
_ORDERING = frozenset({Action.RELEASE, Action.MEASURE})


@dataclass(frozen=True, slots=True)
class GoldenRecord:
    """A record and the outputs a model must give for it, within `tolerance` for each number."""

    record_json: str
    outputs_json: str
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelDescriptor:
    """One message of a models topic.

    An artifact is in `data` or at `location`; commands have neither, and no format. `digest` is
    the artifact's sha-256 in lower-case hex. An empty text means: not told.

    Names are free: 1 to NAME_CHARS_MAX printable characters that are not all blanks, kept as they
    are. `data/optimized_WineQuality` is one. Who makes a file name of it has to escape it.
    """

    name: str = ""
    description: str = ""
    data_type: str = ""
    format: str = ""
    data: bytes | None = None
    location: str | None = None
    version: str = ""
    digest: str = ""
    created_at_ms: int = 0  # since the epoch; 0: not told
    feature_names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    golden: tuple[GoldenRecord, ...] = ()
    publisher: str = ""
    action: Action = Action.PUBLISH
    signature: bytes = b""
    key_id: str = ""
    signature_name: str = ""  # of the inputs and outputs to serve, where a model has several
    policy: str = ""  # of a plan: how answers are found from now on
    order: str = ""  # of a release or a measurement: what is ordered or told, as JSON


def encode_descriptor(descriptor: ModelDescriptor) -> bytes:
    """Return the message's bytes; equal descriptors give equal bytes.

    Raises InvalidMessage when `decode_descriptor` would refuse them.
    """
    _check(descriptor)
    try:
        message = pb.ModelDescriptor(
            name=descriptor.name,
            description=descriptor.description,
            dataType=descriptor.data_type,
            modeltype=_model_type(descriptor.format),
            data=descriptor.data,
            location=descriptor.location,
            version=descriptor.version,
            digest=descriptor.digest,
            created_at_ms=descriptor.created_at_ms,
            feature_names=descriptor.feature_names,
            labels=descriptor.labels,
            metrics=descriptor.metrics,
            golden=[
                pb.GoldenRecord(
                    record_json=each.record_json,
                    outputs_json=each.outputs_json,
                    tolerance=each.tolerance,
                )
                for each in descriptor.golden
            ],
            publisher=descriptor.publisher,
            action=descriptor.action.name,
            signature=descriptor.signature,
            key_id=descriptor.key_id,
            signature_name=descriptor.signature_name,
            policy=descriptor.policy,
            order=descriptor.order,
        )
    except (TypeError, ValueError) as error:
        raise InvalidMessage(f"the descriptor cannot be written: {error}") from error
    data: bytes = message.SerializeToString(deterministic=True)
    _check_size(len(data))
    return data


def decode_descriptor(data: bytes, dialect: Dialect = "canonical") -> ModelDescriptor:
    """Read a message; fields that are not known are ignored.

    Raises InvalidMessage with the reason.
    """
    if not data:
        raise InvalidMessage("an empty message is not a model descriptor")
    _check_size(len(data))
    try:
        message = pb.ModelDescriptor.FromString(data)
    except DecodeError as error:
        raise InvalidMessage(f"not a ModelDescriptor in protobuf: {error}") from None
    action = Action(_meaning(tuple(Action), message.action, "action"))
    formats = FORMAT_NAMES[dialect]
    content = message.WhichOneof("MessageContent")
    descriptor = ModelDescriptor(
        name=message.name,
        description=message.description,
        data_type=message.dataType,
        format=_meaning(formats, message.modeltype, "modeltype") if action in _BRINGING else "",
        data=message.data if content == "data" else None,
        location=message.location if content == "location" else None,
        version=message.version,
        digest=message.digest,
        created_at_ms=message.created_at_ms,
        feature_names=tuple(message.feature_names),
        labels=tuple(message.labels),
        metrics=dict(message.metrics),
        golden=tuple(
            GoldenRecord(each.record_json, each.outputs_json, each.tolerance)
            for each in message.golden
        ),
        publisher=message.publisher,
        action=action,
        signature=message.signature,
        key_id=message.key_id,
        signature_name=message.signature_name,
        policy=message.policy,
        order=message.order,
    )
    _check(descriptor)
    return descriptor


def _model_type(name: str) -> str:
    number = FORMAT_NAMES["canonical"].index(name) if name else 0
    return pb.ModelDescriptor.ModelType.Name(number)


def _meaning(names: Sequence[str], number: int, what: str) -> str:
    if not 0 <= number < len(names):
        known = ", ".join(f"{each} ({name})" for each, name in enumerate(names))
        raise InvalidMessage(f"{what} {number} is not known here; known are {known}")
    return names[number]


def _check_size(size: int) -> None:
    if size > limits.RECORD_BYTES_MAX:
        raise InvalidMessage(
            f"the descriptor has {size} bytes, {limits.RECORD_BYTES_MAX} are allowed; "
            "publish a large model by its location"
        )


def _check(descriptor: ModelDescriptor) -> None:
    """Raise InvalidMessage unless the descriptor keeps every rule."""
    _check_content(descriptor)
    needed = descriptor.action in _NAMING
    _check_text("name", descriptor.name, limits.NAME_CHARS_MAX, needed=needed)
    for what in ("data_type", "version", "publisher", "key_id"):
        _check_text(what, getattr(descriptor, what), limits.NAME_CHARS_MAX)
    _check_text("signature_name", descriptor.signature_name, limits.SIGNATURE_NAME_CHARS_MAX)
    _check_text(
        "policy",
        descriptor.policy,
        limits.POLICY_TEXT_CHARS_MAX,
        needed=descriptor.action is Action.PLAN,
    )
    ordering = descriptor.action in _ORDERING
    _check_text("order", descriptor.order, limits.ORDER_CHARS_MAX, needed=ordering)
    _check_text("location", descriptor.location or "", limits.LOCATION_CHARS_MAX)
    if len(descriptor.description) > limits.DESCRIPTION_CHARS_MAX:
        raise InvalidMessage(
            f"the description has {len(descriptor.description)} characters, "
            f"{limits.DESCRIPTION_CHARS_MAX} are allowed"
        )
    if descriptor.digest and not _SHA256_HEX.fullmatch(descriptor.digest):
        raise InvalidMessage("the digest is not a sha-256 in 64 lower-case hexadecimal digits")
    if not 0 <= descriptor.created_at_ms < 2**63:
        raise InvalidMessage(f"created_at_ms {descriptor.created_at_ms} is not a time")
    for what, largest in _LISTS_MAX.items():
        count = len(getattr(descriptor, what))
        if count > largest:
            raise InvalidMessage(f"{count} {what} are given, {largest} are allowed")
    if not all(map(math.isfinite, descriptor.metrics.values())):
        raise InvalidMessage("a metric is not a finite number; leave it out")
    if not all(0 <= each.tolerance < math.inf for each in descriptor.golden):
        raise InvalidMessage("a golden record's tolerance is not a number from 0 up")


_LISTS_MAX = {
    "feature_names": limits.FIELDS_MAX,
    "labels": limits.FIELDS_MAX,
    "metrics": limits.METRICS_MAX,
    "golden": limits.GOLDEN_RECORDS_MAX,
}


def _check_content(descriptor: ModelDescriptor) -> None:
    brought = (descriptor.data is not None) + (descriptor.location is not None)
    if descriptor.action not in _BRINGING:
        if brought or descriptor.format:
            raise InvalidMessage(
                f"the action {descriptor.action} brings no model; publish it first"
            )
        return
    if brought != 1 or not (descriptor.data or descriptor.location):
        raise InvalidMessage("a published model is given as data or as location, one of the two")
    if descriptor.format not in FORMAT_NAMES["canonical"]:
        known = ", ".join(FORMAT_NAMES["canonical"])
        raise InvalidMessage(f"format {descriptor.format!r} cannot be told; known are {known}")


def _check_text(what: str, text: str, chars_max: int, *, needed: bool = False) -> None:
    if len(text) > chars_max:
        raise InvalidMessage(f"{what} has {len(text)} characters, {chars_max} are allowed")
    if not text.isprintable():
        raise InvalidMessage(f"{what} {text!r} has control characters; use printable ones")
    if (needed or text) and not text.strip():
        raise InvalidMessage(f"{what} is blank; give it a {what}")
