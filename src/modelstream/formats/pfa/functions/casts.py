"""Values made others: cast.*, parse.*, enum.*, fixed.* (PFA 0.8.1)."""

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from modelstream.formats.pfa.avro import encode
from modelstream.formats.pfa.columns import Batch, is_numbers
from modelstream.formats.pfa.data import write
from modelstream.formats.pfa.faults import Fault, check_size
from modelstream.formats.pfa.functions.numbers import in_range
from modelstream.formats.pfa.library import Call, ColumnRule, LibraryFunction, Rule, plain
from modelstream.formats.pfa.types import BOOLEAN, INT, LONG, REAL, Array, Enum, Type

_NUMBERS = ("int", "long", "float", "double")


def _to_whole(kind: Type, code: int) -> Rule:
    # The code of longs follows that of ints in `in_range`, and here it does not.
    check = in_range(kind, code if kind == INT else code - 1)
    return lambda x: check(np.floor(x + 0.5) if type(x) is float else x)


def _to_real_columns(_batch: Batch, x: Any) -> Any:
    return x.astype(np.float64) if is_numbers(x) else NotImplemented


def _wrapped(code: int, bits_min: int, bits_max: int, *, signed: bool) -> Rule:
    def rule(x: int, bits: int) -> int:
        if not bits_min <= bits <= bits_max:
            raise Fault("unrepresentable unsigned number", code)
        rest = x % (1 << bits)
        return rest - (1 << bits) if signed and rest >> (bits - 1) else rest

    return rule


def _fanout(name: str, kind: str, code: int) -> LibraryFunction:
    """Return a function that tells for each value that there may be whether it is the one."""
    truth: Callable[[Any], Any] = {"boolean": bool, "int": int, "long": int}.get(kind, float)

    def make(call: Call) -> Rule:
        first = call.params[0]
        if isinstance(first, Enum):
            symbols = first.symbols
            return lambda x: [truth(x == symbol) for symbol in symbols]
        if len(call.params) == 3:
            return of_string
        return of_int

    def of_string(x: str, dictionary: list[str], out_of_range: bool) -> list[Any]:
        if len(set(dictionary)) < len(dictionary):
            raise Fault("non-distinct values in dictionary", code)
        return [truth(x == word) for word in dictionary] + [
            truth(x not in dictionary)
        ] * out_of_range

    def of_int(x: int, low: int, high: int, out_of_range: bool) -> list[Any]:
        check_size(high - low)
        found = [truth(x == each) for each in range(low, high)]
        return found + [truth(not low <= x < high)] * out_of_range

    return LibraryFunction(
        f"cast.{name}",
        (
            f"(x: enum A) -> [{kind}]",
            f"(x: string, dictionary: [string], outOfRange: boolean) -> [{kind}]",
            f"(x: int, minimum: int, maximum: int, outOfRange: boolean) -> [{kind}]",
        ),
        make,
        _fanout_columns,
    )


def _fanout_columns(call: Call) -> ColumnRule:
    assert isinstance(call.result, Array)
    item = call.result.items
    dtype: Any = np.bool_ if item == BOOLEAN else np.float64 if item in REAL else np.int64

    def rule(_batch: Batch, x: Any, *rest: Any) -> Any:
        first = call.params[0]
        choices: Any = None
        if isinstance(first, Enum):
            choices = first.symbols
        elif len(rest) == 2 and isinstance(rest[0], list) and len(set(rest[0])) == len(rest[0]):
            choices = rest[0]
        if choices is None or not choices or (rest and not isinstance(rest[-1], bool)):
            return NotImplemented
        found = np.stack([np.equal(x, each).astype(np.bool_) for each in choices], axis=1)
        if rest and rest[-1]:
            found = np.concatenate([found, ~found.any(axis=1, keepdims=True)], axis=1)
        return found.astype(dtype)

    return rule


def _json(call: Call) -> Rule:
    kind = call.params[0]
    return lambda x: msgspec.json.encode(write(kind, x)).decode()


def _avro(call: Call) -> Rule:
    kind = call.params[0]
    return lambda x: encode(kind, x)


def _parse_whole(kind: Type, words: str, code: int) -> Rule:
    def rule(text: str, base: int) -> int:
        if not 2 <= base <= 36:
            raise Fault("base out of range", code + 1)
        try:
            value = int(text, base)
        except ValueError:
            raise Fault(words, code) from None
        bits = 31 if kind == INT else 63
        if not -(1 << bits) <= value < 1 << bits:
            raise Fault(words, code)
        return value

    return rule


def _parse_real(words: str, code: int, largest: float, smallest: float) -> Rule:
    def rule(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise Fault(words, code) from None
        if abs(value) > largest:
            return math.copysign(math.inf, value)
        return 0.0 if abs(value) < smallest else value

    return rule


def _symbols(call: Call) -> tuple[str, ...]:
    kind = call.params[0]
    assert isinstance(kind, Enum)
    return kind.symbols


def _enum_to_int(call: Call) -> Rule:
    places = {symbol: place for place, symbol in enumerate(_symbols(call))}
    return lambda x: places[x]


def _number_of_symbols(call: Call) -> Rule:
    count = len(_symbols(call))
    return lambda _x: count


def _cast(name: str, rule: Rule, columns: ColumnRule | None = None) -> LibraryFunction:
    return plain(
        f"cast.{name}", *(f"(x: {each}) -> {name}" for each in _NUMBERS), rule=rule, columns=columns
    )


FUNCTIONS: tuple[LibraryFunction, ...] = (
    plain(
        "cast.signed",
        "(x: long, bits: int) -> long",
        rule=_wrapped(17000, 2, 64, signed=True),
    ),
    plain(
        "cast.unsigned",
        "(x: long, bits: int) -> long",
        rule=_wrapped(17010, 1, 63, signed=False),
    ),
    _cast("int", _to_whole(INT, 17020)),
    _cast("long", _to_whole(LONG, 17030)),
    _cast("float", float, _to_real_columns),
    _cast("double", float, _to_real_columns),
    _fanout("fanoutBoolean", "boolean", 17060),
    _fanout("fanoutInt", "int", 17070),
    _fanout("fanoutLong", "long", 17080),
    _fanout("fanoutFloat", "float", 17090),
    _fanout("fanoutDouble", "double", 17100),
    LibraryFunction("cast.avro", ("(x: A) -> bytes",), _avro),
    LibraryFunction("cast.json", ("(x: A) -> string",), _json),
    plain(
        "parse.int",
        "(str: string, base: int) -> int",
        rule=_parse_whole(INT, "not an integer", 33000),
    ),
    plain(
        "parse.long",
        "(str: string, base: int) -> long",
        rule=_parse_whole(LONG, "not a long integer", 33010),
    ),
    plain(
        "parse.float",
        "(str: string) -> float",
        rule=_parse_real("not a single-precision float", 33020, 3.4028235e38, 1.4e-45),
    ),
    plain(
        "parse.double",
        "(str: string) -> double",
        rule=_parse_real("not a double-precision float", 33030, math.inf, 0.0),
    ),
    plain("enum.toString", "(x: enum A) -> string", rule=lambda x: x),
    LibraryFunction("enum.toInt", ("(x: enum A) -> int",), _enum_to_int),
    LibraryFunction("enum.numSymbols", ("(x: enum A) -> int",), _number_of_symbols),
    plain("fixed.toBytes", "(x: fixed A) -> bytes", rule=bytes),
    plain(
        "fixed.fromBytes",
        "(original: fixed A, replacement: bytes) -> A",
        rule=lambda original, replacement: (
            replacement[: len(original)] + original[len(replacement) :]
        ),
    ),
)
