"""How deep a JSON text is nested."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.limits import RECORD_DEPTH_MAX
from modelstream.wire.depth import too_deep


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(("depth", "told"), [(1, False), (RECORD_DEPTH_MAX, False)])
def test_what_a_reader_can_follow_is_let_through(depth: int, told: bool) -> None:
    assert too_deep(nested(depth)) is told


@pytest.mark.parametrize("text", [nested(RECORD_DEPTH_MAX + 1), b"[" * 100_000])
def test_what_is_nested_deeper_is_told(text: bytes) -> None:
    assert too_deep(text)


def test_brackets_in_texts_and_side_by_side_are_no_depth() -> None:
    assert not too_deep(json.dumps({"a": "[" * 1000, "b": '"' + "{" * 1000}).encode())
    assert not too_deep(b"[" + b",".join([b"[]"] * 1000) + b"]")


trees = st.recursive(st.text('[{"\\', max_size=300), lambda each: st.lists(each) | each.map(str))


@given(trees)
def test_shallow_json_is_never_too_deep(tree: Any) -> None:
    assert not too_deep(json.dumps({"a": tree}).encode())
