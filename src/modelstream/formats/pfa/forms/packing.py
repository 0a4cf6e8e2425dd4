"""Forms that turn values into bytes and back: pack and unpack (PFA 0.8.1, Pack and Unpack)."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modelstream.errors import InvalidModel
from modelstream.formats.limits import PFA_ITEMS_MAX
from modelstream.formats.pfa import types
from modelstream.formats.pfa.check import Checker
from modelstream.formats.pfa.code import Code, Frame, by_row, coerced, constant
from modelstream.formats.pfa.columns import Batch, ByRows
from modelstream.formats.pfa.faults import Fault
from modelstream.formats.pfa.scope import Scope
from modelstream.formats.pfa.types import Type, accepts

_LITTLE = frozenset({"<", "little"})
# Each kind of number: its words, the letters that Python's struct has for it signed and unsigned,
# and the types of these. An unsigned long does not fit a long, and is a double.
_NUMBERS: tuple[tuple[str, str, Type, str, Type], ...] = (
    ("boolean", "?", types.BOOLEAN, "", types.NULL),
    ("byte|int8", "b", types.INT, "B", types.INT),
    ("short|int16", "h", types.INT, "H", types.INT),
    ("int|int32", "i", types.INT, "I", types.LONG),
    ("long|long ?long|int64", "q", types.LONG, "Q", types.DOUBLE),
    ("float|float32", "f", types.FLOAT, "", types.NULL),
    ("double|float64", "d", types.DOUBLE, "", types.NULL),
)
_NUMBER = r"(?P<order><|>|!|little|big|network)? ?(?P<unsigned>unsigned ?)?(?:{})"


class _Misfit(Exception):
    """Bytes do not fit a format."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of a format: `kind` is pad, raw, sized, ended, prefixed or number."""

    kind: str
    type: Type
    letter: str = ""
    size: int = 0

    def write(self, value: Any) -> bytes:
        """Return the bytes of a value. Raises Fault."""
        if self.kind == "pad":
            return b"\0"
        if self.kind == "number":
            try:
                whole = int(value) if self.letter[1] == "Q" else value
                return struct.pack(self.letter, whole)
            except (struct.error, OverflowError, ValueError) as error:
                raise Fault(f"pack: {error}", None) from error
        if self.kind == "sized" and len(value) != self.size:
            raise Fault("raw bytes does not have specified size", 3000)
        if self.kind == "prefixed" and len(value) > 255:
            raise Fault("length prefixed bytes is larger than 255 bytes", 3001)
        before = bytes([len(value)]) if self.kind == "prefixed" else b""
        return before + bytes(value) + (b"\0" if self.kind == "ended" else b"")

    def read(self, data: bytes) -> tuple[Any, bytes]:
        """Return a value and the bytes behind it. Raises _Misfit."""
        if self.kind == "ended":
            value, end, rest = data.partition(b"\0")
            if not end:
                raise _Misfit
            return value, rest
        if self.kind == "prefixed":
            if not data:
                raise _Misfit
            return _cut(data[1:], data[0])
        if self.kind == "raw":
            return data, b""
        value, rest = _cut(data, self.size)
        if self.kind == "pad":
            return None, rest
        if self.kind == "sized":
            return value, rest
        (number,) = struct.unpack(self.letter, value)
        return (float(number) if self.type == types.DOUBLE else number), rest


def _cut(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise _Misfit
    return data[:size], data[size:]


def _part(word: Any, where: str, *, packs: bool) -> _Part:
    if not isinstance(word, str):
        raise InvalidModel(f"{where}: a format is a string")
    text = " ".join(word.split())
    if text == "raw" and packs:
        return _Part("raw", types.BYTES)
    if text == "pad":
        return _Part("pad", types.NULL, size=1)
    if re.fullmatch("(null ?)?terminated", text):
        return _Part("ended", types.BYTES)
    if re.fullmatch("(length ?)?prefixed", text):
        return _Part("prefixed", types.BYTES)
    sized = re.fullmatch(r"raw ?(\d{1,9})", text)
    if sized is not None and int(sized[1]) <= PFA_ITEMS_MAX:
        return _Part("sized", types.BYTES, size=int(sized[1]))
    for words, letter, kind, unsigned, wider in _NUMBERS:
        found = re.fullmatch(_NUMBER.format(words), text)
        if found is not None and (unsigned or not found["unsigned"]):
            order = "<" if found["order"] in _LITTLE else ">"
            packed = order + (unsigned if found["unsigned"] else letter)
            made = wider if found["unsigned"] else kind
            return _Part("number", made, packed, struct.calcsize(packed))
    raise InvalidModel(f"{where}: {word!r} is no format that bytes can have")


def _pairs(node: Any, where: str) -> list[tuple[str, Any]]:
    """Return the names and values of a list of objects with one entry each."""
    pairs = []
    for each in node if isinstance(node, list) and node else [None]:
        entries = (
            [(key, value) for key, value in each.items() if key != "@"]
            if isinstance(each, dict)
            else []
        )
        if len(entries) != 1:
            raise InvalidModel(f"{where}: a list of objects with one entry each is due")
        pairs += entries
    return pairs


def pack(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"pack": [{"format": ...}, ...]}."""
    parts = []
    for index, (word, each) in enumerate(_pairs(node["pack"], f"{where}.pack")):
        place = f"{where}.pack.{index}.{word}"
        part = _part(word, place, packs=True)
        code = checker.expression(each, scope.argument(), place)
        if not accepts(part.type, code.type):
            raise InvalidModel(f"{place}: {code.type} stands where {part.type} is due")
        parts.append((part, coerced(code, part.type).run))

    def run(frame: Frame) -> bytes:
        return b"".join([part.write(value(frame)) for part, value in parts])

    return by_row(types.BYTES, run)


def unpack(checker: Checker, node: dict[str, Any], scope: Scope, where: str) -> Code:
    """{"unpack": ..., "format": [...], "then": ..., "else": ...}."""
    before = checker.assignments
    data = checker.expression(node["unpack"], scope.argument(), f"{where}.unpack")
    if data.type != types.BYTES:
        raise InvalidModel(f"{where}.unpack: bytes are due, not {data.type}")
    inside = scope.inner()
    parts = []
    for index, (name, word) in enumerate(_pairs(node["format"], f"{where}.format")):
        place = f"{where}.format.{index}.{name}"
        part = _part(word, place, packs=False)
        parts.append((inside.declare_new(name, part.type, place).slot, part))
    then = checker.block(node["then"], inside.inner(), f"{where}.then")
    other = constant(types.NULL, None)
    if "else" in node:
        other = checker.block(node["else"], scope.inner(), f"{where}.else")
    assigns = checker.assignments > before
    return _branch(data.run, parts, then, other, has_value="else" in node, assigns=assigns)


def _branch(
    data: Callable[[Frame], Any],
    parts: list[tuple[int, _Part]],
    then: Code,
    other: Code,
    *,
    has_value: bool,
    assigns: bool,
) -> Code:
    kind = types.broadest([then.type, other.type]) if has_value else types.NULL
    yes = coerced(then, kind) if has_value else then
    no = coerced(other, kind)

    def run(frame: Frame) -> Any:
        rest = data(frame)
        try:
            for slot, part in parts:
                frame[slot], rest = part.read(rest)
        except _Misfit:
            return no.run(frame)
        if rest:
            return no.run(frame)
        value = yes.run(frame)
        return value if has_value else None

    code = by_row(kind, run)
    return Code(kind, run, _refuse) if assigns else code


def _refuse(_batch: Batch) -> Any:
    raise ByRows
