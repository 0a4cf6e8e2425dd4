"""The lowered form."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream import limits
from modelstream.errors import InvalidModel
from modelstream.formats.base import Field
from modelstream.formats.onnx_graph.plan import (
    PLAN_VERSION,
    Binding,
    Plan,
    decode_plan,
    encode_plan,
)

X = Binding("x", "float32", (2,), ("a", "b"))
Y = Binding("y", "float32", (1,), ("y",))


def plan(inputs: tuple[Binding, ...] = (X,), outputs: tuple[Binding, ...] = (Y,)) -> Plan:
    return Plan(PLAN_VERSION, b"graph", inputs, outputs, by_row=False, description=b"")


def test_a_plan_comes_back_as_it_was() -> None:
    assert decode_plan(encode_plan(plan())) == plan()


@pytest.mark.parametrize(
    ("binding", "fields"),
    [
        (Binding("t", "float32", (2,), ("a", "b")), [Field("a", "float32"), Field("b", "float32")]),
        (Binding("t", "uint8", (2,), ("t",)), [Field("t", "int32", (2,))]),
        (Binding("t", "uint32", (1,), ("t",)), [Field("t", "int64")]),
        (Binding("t", "string", (), ("t",)), [Field("t", "string")]),
        (Binding("t", "float16", (None, 3), ("t",)), [Field("t", "float32", (None, 3))]),
        (Binding("t", "bool", (1,), ("a",)), [Field("a", "bool")]),
    ],
)
def test_a_binding_tells_its_fields(binding: Binding, fields: list[Field]) -> None:
    assert list(binding.fields()) == fields


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (plan(inputs=()), "no inputs"),
        (plan(outputs=()), "no outputs"),
        (plan(inputs=(X, Binding("z", "int64", (), ("b",)))), "same name: b"),
        (plan(inputs=(Binding("x", "float32", (3,), ("a", "b")),)), "does not fit"),
        (plan(inputs=(Binding("x", "float32", (), ("",)),)), "printable"),
        (plan(inputs=(Binding("x", "float32", (), ("a\nb",)),)), "printable"),
        (
            plan(inputs=(Binding("x", "float32", (), ("a" * (limits.FIELD_NAME_CHARS_MAX + 1),)),)),
            "printable",
        ),
        (
            plan(
                inputs=(
                    Binding(
                        "x",
                        "float32",
                        (limits.FIELDS_MAX + 1,),
                        tuple(map(str, range(limits.FIELDS_MAX + 1))),
                    ),
                )
            ),
            "10000 are allowed",
        ),
    ],
)
def test_a_plan_that_breaks_a_rule_is_neither_written_nor_read(broken: Plan, why: str) -> None:
    with pytest.raises(InvalidModel, match=why):
        encode_plan(broken)
    with pytest.raises(InvalidModel, match=why):
        decode_plan(msgspec.msgpack.encode(broken))


def test_another_version_is_refused() -> None:
    other = msgspec.structs.replace(plan(), version=PLAN_VERSION + 1)
    with pytest.raises(InvalidModel, match="another version"):
        decode_plan(msgspec.msgpack.encode(other))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_plan_or_an_invalid_model(data: bytes) -> None:
    try:
        decode_plan(data)
    except InvalidModel:
        return


@given(st.integers(0), st.integers(0, 255))
def test_a_changed_byte_gives_a_plan_or_an_invalid_model(at: int, byte: int) -> None:
    data = bytearray(encode_plan(plan()))
    data[at % len(data)] = byte
    try:
        decode_plan(bytes(data))
    except InvalidModel:
        return
