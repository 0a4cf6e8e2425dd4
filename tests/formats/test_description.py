"""Descriptions as bytes, whoever made them."""

import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.base import Description, Header, InputFacts, OutputFacts, Part
from modelstream.formats.description import decode_description, encode_description, make_header
from modelstream.limits import DESCRIPTION_CHARS_MAX

WHOLE = Description(
    "pmml",
    "4.4",
    Header(application="R", created="today"),
    (InputFacts("x", "float64", (2, None), values=("a",), replacement="0"),),
    (OutputFacts("y", "string", labels=("a", "b")),),
    Part("MiningModel", {"trees": 2, "weight": 0.5}, (Part("TreeModel", {"nodes": 1}),), more=1),
)


def test_a_description_is_read_as_it_was_written() -> None:
    assert decode_description(encode_description(WHOLE)) == WHOLE


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", encode_description(WHOLE)[:-1]])
def test_bytes_that_are_no_description_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidModel, match="lower the artifact again"):
        decode_description(data)


def test_a_part_inside_itself_for_ever_is_refused() -> None:
    deep = b"\x81\xa5parts\x91" * 100_000 + b"\x80"
    with pytest.raises(InvalidModel, match="lower the artifact again"):
        decode_description(b"\x81\xa9structure" + deep)


def test_the_texts_of_a_header_are_bounded() -> None:
    header = make_header(application=" R ", copyright="c" * (DESCRIPTION_CHARS_MAX + 1))
    assert header == Header(application="R", copyright="c" * DESCRIPTION_CHARS_MAX)
