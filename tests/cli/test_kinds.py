"""Arguments that are values: what is taken, and what is refused with its reason."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelstream.cli import kinds


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (kinds.names, "a, b c,d", ("a", "b c", "d")),
        (kinds.character, ";", ";"),
        (kinds.character, "tab", "\t"),
        (kinds.character, "\\t", "\t"),
        (kinds.metric, "rmse=0.5", ("rmse", 0.5)),
        (kinds.named_version, "a@b@3", "a@b@3"),
        (kinds.whole(0), "0", 0),
        (kinds.whole(1, 3), "3", 3),
        (kinds.seconds, "0", 0.0),
        (kinds.time_ms, "1970-01-01", 0),
        (kinds.time_ms, "1970-01-01T00:00:01.5Z", 1500),
        (kinds.time_ms, "1970-01-01T01:00:00+01:00", 0),
        (kinds.positive, "0.5", 0.5),
        (kinds.file_or_stdin, "-", Path("-")),
    ],
)
def test_a_value_is_taken(kind: Callable[[str], Any], text: str, value: Any) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (kinds.character, ";;", "not one character"),
        (kinds.character, '"', "not one character"),
        (kinds.metric, "rmse", "NAME=NUMBER"),
        (kinds.metric, "rmse=x", "NAME=NUMBER"),
        (kinds.named_version, "forest", "NAME@VERSION"),
        (kinds.named_version, "forest@", "NAME@VERSION"),
        (kinds.whole(1, 3), "4", "from 1 to 3"),
        (kinds.whole(1), "0", "from 1"),
        (kinds.whole(0), "-1", "whole number"),
        (kinds.whole(0), "1.5", "whole number"),
        (kinds.seconds, "-1", "from 0 up"),
        (kinds.seconds, "nan", "from 0 up"),
        (kinds.time_ms, "yesterday", "no time"),
        (kinds.positive, "0", "above 0"),
        (kinds.positive, "inf", "above 0"),
        (kinds.positive, "fast", "above 0"),
        (kinds.file, "/nowhere/at/all", "no file"),
        (kinds.file, "/", "directory"),
    ],
)
def test_what_is_no_value_is_refused(kind: Callable[[str], Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentTypeError, match=told):
        kind(text)


def test_a_model_may_be_a_directory_that_holds_one(tmp_path: Path) -> None:
    with pytest.raises(ArgumentTypeError, match="is a directory"):
        kinds.model(str(tmp_path))
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    assert kinds.model(str(tmp_path)) == tmp_path
    assert kinds.model(str(tmp_path / "saved_model.pb")) == tmp_path / "saved_model.pb"
