"""Tensors as raw bytes."""

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from modelstream.formats.onnx_graph.plan import Element
from modelstream.formats.remote.values import dtype_of, from_raw, to_raw

NUMBERS = [each for each in get_args(Element) if each != "string"]


@given(st.data(), st.sampled_from(NUMBERS))
def test_numbers_come_back_as_they_were_to_the_last_bit(
    data: st.DataObject, element: Element
) -> None:
    tensor: Any = data.draw(arrays.arrays(dtype_of(element), st.integers(0, 20)))
    back = from_raw("y", to_raw(tensor), element)
    assert (back.dtype, back.tobytes()) == (tensor.dtype, tensor.tobytes())


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]))))
def test_texts_come_back_as_they_were(texts: list[str]) -> None:
    tensor = np.empty(len(texts), object)
    tensor[:] = texts
    assert from_raw("y", to_raw(tensor), "string").tolist() == texts


@given(st.binary(), st.sampled_from(get_args(Element)))
def test_any_bytes_are_a_tensor_or_told_not_to_be(raw: bytes, element: Element) -> None:
    try:
        from_raw("y", raw, element)
    except ValueError:
        return


def test_what_is_cut_off_is_told() -> None:
    with pytest.raises(ValueError, match="output 'y' holds no float64"):
        from_raw("y", b"1234567", "float64")
    with pytest.raises(ValueError, match="output 'y' ends in the middle of a text"):
        from_raw("y", b"\x05\0\0\0ab", "string")
