"""Protobuf to plain values, by descriptors that arrive as data: no code is generated or run.

The names are those of the .proto file. Numbers are numbers, enums their names, a field that has
presence and is not set is left out; times, durations and wrappers are as in protobuf's own JSON.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from modelstream.wire.schemas.framing import UnusableSchema, malformed
from modelstream.wire.schemas.limits import PROTOBUF_VALUES_MAX

Getter = Callable[[Any], Any]

# What schemas import without bringing it.
_WELL_KNOWN = (duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
_AS_TEXT = frozenset({"google.protobuf.Timestamp", "google.protobuf.Duration"})
_WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Bool", "Bytes", "Double", "Float", "Int32", "Int64", "String", "UInt32", "UInt64")
)


def pool_of(files: Iterable[FileDescriptorProto]) -> DescriptorPool:
    """Return a pool of files, each after those that it imports. Raises UnusableSchema."""
    pool = DescriptorPool()
    told = list(files)
    names = {each.name for each in told}
    well_known = [
        FileDescriptorProto.FromString(each.DESCRIPTOR.serialized_pb) for each in _WELL_KNOWN
    ]
    try:
        for each in [*(each for each in well_known if each.name not in names), *told]:
            pool.Add(each)
        for each in told:
            pool.FindFileByName(each.name)
    except (TypeError, KeyError, ValueError) as error:
        raise UnusableSchema(f"the descriptors do not fit together: {error}") from error
    return pool


def message_named(data: bytes, name: str) -> Descriptor:
    """Find a message in a FileDescriptorSet. Raises UnusableSchema."""
    try:
        files = FileDescriptorSet.FromString(data).file
    except DecodeError as error:
        raise UnusableSchema(f"no FileDescriptorSet of protobuf's: {error}") from error
    pool = pool_of(files)
    try:
        return pool.FindMessageTypeByName(name)
    except KeyError as error:
        names = ", ".join(
            f"{each.package}.{message.name}".lstrip(".")
            for each in files
            for message in each.message_type
        )
        raise UnusableSchema(f"there is no message {name!r}; there are {names}") from error


def message_at(
    serialized: bytes, references: Mapping[str, bytes], indexes: Sequence[int]
) -> Descriptor:
    """Find a message by its place in a serialized file; `references` are what that imports.

    Raises UnusableSchema.
    """
    try:
        files = [
            FileDescriptorProto.FromString(each) for each in (*references.values(), serialized)
        ]
    except DecodeError as error:
        raise UnusableSchema(f"no FileDescriptorProto of protobuf's: {error}") from error
    for each, name in zip(files, references, strict=False):
        each.name = name
    files[-1].name = files[-1].name or "default"
    messages: Sequence[Any] = files[-1].message_type
    path = [files[-1].package] if files[-1].package else []
    for index in indexes:
        if not 0 <= index < len(messages):
            raise UnusableSchema(f"the file has no message at {list(indexes)}")
        path.append(messages[index].name)
        messages = messages[index].nested_type
    return pool_of(files).FindMessageTypeByName(".".join(path))


class ProtobufReader:
    """Reads one kind of message."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._parse = GetMessageClass(descriptor).FromString
        self._shapes = _Shapes()
        self._plain = self._shapes.of(descriptor)

    def read(self, data: bytes) -> Any:
        """Return one record, as what encodes to its JSON object. Raises Unreadable."""
        try:
            message = self._parse(data)
            self._shapes.left = PROTOBUF_VALUES_MAX
            return self._plain(message)
        except (DecodeError, ValueError, OverflowError, RecursionError) as error:
            raise malformed(f"not protobuf of its schema: {error}") from error


class _Shapes:
    """How messages become plain values, by their descriptors; made when one is first met.

    `left` is how many values a record may still have: unset fields are values, and take no bytes.
    """

    def __init__(self) -> None:
        self.left = 0
        self._known: dict[str, _Shape] = {}

    def of(self, descriptor: Descriptor) -> Getter:
        """Return what makes plain values of a message."""
        if descriptor.full_name in _AS_TEXT:
            return operator.methodcaller("ToJsonString")
        if descriptor.full_name in _WRAPPERS:
            return operator.attrgetter("value")
        known = self._known.get(descriptor.full_name)
        if known is None:
            known = self._known[descriptor.full_name] = _Shape(descriptor, self)
        return known


class _Shape:
    """One kind of message: its plain fields, which are read at once, and the others."""

    def __init__(self, descriptor: Descriptor, shapes: _Shapes) -> None:
        self._descriptor, self._shapes = descriptor, shapes
        self._make: Callable[..., Any] | None = None
        self._size = 1 + len(descriptor.fields)
        self._get_plain: Getter = tuple
        self._others: list[Getter] = []

    def __call__(self, message: Any) -> Any:
        """Return the values of a message. Raises ValueError where there are too many."""
        self._shapes.left -= self._size
        if self._shapes.left < 0:
            raise ValueError(f"more than {PROTOBUF_VALUES_MAX} values, set or not")
        make = self._make or self._prepare()
        return make(*self._get_plain(message), *[get(message) for get in self._others])

    def _prepare(self) -> Callable[..., Any]:
        """Sort the fields; not before a message is met, because a kind may contain itself."""
        fields = self._descriptor.fields
        plain = [each for each in fields if _is_plain(each)]
        others = [each for each in fields if not _is_plain(each)]
        names = [each.name for each in (*plain, *others)]
        rename = {f"f{index}": name for index, name in enumerate(names)}
        self._make = msgspec.defstruct(
            "Message", [(each, Any) for each in rename], rename=rename, gc=False
        )
        if len(plain) == 1:
            (name,) = (each.name for each in plain)
            self._get_plain = lambda message: (getattr(message, name),)
        elif plain:
            self._get_plain = operator.attrgetter(*(each.name for each in plain))
        else:
            self._get_plain = lambda _: ()
        self._others = [_getter(each, self._shapes) for each in others]
        return self._make


def _is_plain(field: FieldDescriptor) -> bool:
    kinds = {FieldDescriptor.TYPE_ENUM, FieldDescriptor.TYPE_MESSAGE, FieldDescriptor.TYPE_GROUP}
    return not (_is_repeated(field) or field.has_presence or field.type in kinds)


def _is_repeated(field: FieldDescriptor) -> bool:
    # Newer runtimes warn of `label`, older ones have nothing else.
    told: bool | None = getattr(field, "is_repeated", None)
    label: int = 0 if told is not None else getattr(field, "label", 0)
    return label == FieldDescriptor.LABEL_REPEATED if told is None else told


def _getter(field: FieldDescriptor, shapes: _Shapes) -> Getter:
    """Return how a field that is not plain is read."""
    name, one = field.name, _one(field, shapes)
    entry = field.message_type
    if entry is not None and _is_repeated(field) and entry.GetOptions().map_entry:
        value = _one(entry.fields_by_name["value"], shapes)
        return lambda message: {key: value(each) for key, each in getattr(message, name).items()}
    if _is_repeated(field):
        return lambda message: [one(each) for each in getattr(message, name)]
    if field.has_presence:
        return lambda message: (
            one(getattr(message, name)) if message.HasField(name) else msgspec.UNSET
        )
    return lambda message: one(getattr(message, name))


def _one(field: FieldDescriptor, shapes: _Shapes) -> Getter:
    """Return how one value of a field is read."""
    if field.message_type is not None:
        return shapes.of(field.message_type)
    if field.enum_type is not None:
        names = {number: each.name for number, each in field.enum_type.values_by_number.items()}
        return lambda number: names.get(number, number)
    return lambda value: value
