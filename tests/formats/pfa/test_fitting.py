"""Signatures as they are written, and the arguments that fit them."""

import pytest

from modelstream.formats.pfa import types
from modelstream.formats.pfa.fitting import fit, fixed_types
from modelstream.formats.pfa.functions import library
from modelstream.formats.pfa.patterns import parse_signature
from modelstream.formats.pfa.types import (
    BOOLEAN,
    DOUBLE,
    INT,
    NULL,
    STRING,
    Array,
    Enum,
    Function,
    Record,
    Type,
    Union,
)


def fitted(text: str, *arguments: Type) -> tuple[tuple[Type, ...], Type] | None:
    found = fit(parse_signature(text), arguments)
    return None if found is None else (found.params, found.result)


def test_a_label_is_the_broadest_of_what_it_stands_for() -> None:
    assert fitted("(x: number A, y: A) -> A", INT, DOUBLE) == ((DOUBLE, DOUBLE), DOUBLE)
    assert fitted("(a: [A], item: A) -> [A]", Array(INT), STRING) is not None
    assert fitted("(x: number A, y: A) -> A", STRING, STRING) is None


def test_a_function_has_to_take_what_it_will_be_given() -> None:
    text = "(a: [A], fcn: (A -> B)) -> [B]"
    takes_double = Function((DOUBLE,), STRING)
    assert fitted(text, Array(DOUBLE), takes_double) == (
        (Array(DOUBLE), takes_double),
        Array(STRING),
    )
    assert fitted(text, Array(DOUBLE), Function((INT,), STRING)) is None
    assert fitted(text, Array(INT), takes_double) is not None


def test_the_members_of_a_union_are_matched_one_by_one() -> None:
    text = "(x: A|null, default: A) -> A"
    assert fitted(text, Union((NULL, INT)), INT) is not None
    assert fitted(text, Union((NULL, INT)), DOUBLE) == (
        (Union((NULL, INT)), DOUBLE),
        DOUBLE,
    )
    assert fitted("(x: boolean|null) -> boolean", Union((NULL, STRING))) is None


def test_a_record_needs_its_fields_with_just_their_types() -> None:
    text = "(m: M{coeff: [double], const: double}) -> M"
    fits = Record("M", {"const": DOUBLE, "coeff": Array(DOUBLE), "more": STRING})
    assert fitted(text, fits) == ((fits,), fits)
    assert fitted(text, Record("M", {"const": INT, "coeff": Array(DOUBLE)})) is None
    assert fitted(text, Record("M", {"const": DOUBLE})) is None


def test_an_enum_of_fields_has_the_fields_of_the_record() -> None:
    text = "(d: D{}, t: T{field: fields F of D}) -> boolean"
    datum = Record("D", {"x": INT, "y": INT})
    good = Record("T", {"field": Enum("F", ("x", "y"))})
    assert fitted(text, datum, good) is not None
    assert fitted(text, datum, Record("T", {"field": Enum("F", ("y", "x"))})) is None


def test_only_signatures_without_labels_have_fixed_types() -> None:
    assert fixed_types(parse_signature("(x: double, y: double) -> double")) == (
        (DOUBLE,) * 2,
        DOUBLE,
    )
    assert fixed_types(parse_signature("(x: A) -> boolean")) is None


@pytest.mark.parametrize("name", library().names())
def test_every_signature_can_be_read(name: str) -> None:
    for signature in library().signatures(name):
        assert len(signature.names) == len(signature.params)
        assert len(set(signature.names)) == len(signature.names)


def test_booleans_are_no_numbers() -> None:
    assert fitted("(x: double) -> double", BOOLEAN) is None
    assert types.BOOLEAN not in types.NUMBERS
