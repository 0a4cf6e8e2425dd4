"""CSV files: types by column, missing values, broken rows, and what a user may say of it."""

import csv
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidRecord
from modelstream.limits import BATCH_RECORDS_MAX
from modelstream.records.csv import CsvLayout, read_csv
from modelstream.records.json_lines import Fault

COMMA = CsvLayout()


def read(path: Path, layout: CsvLayout = COMMA) -> tuple[list[Any], list[int], list[Fault]]:
    chunks = list(read_csv(path, layout))
    return (
        [json.loads(value) for chunk in chunks for value in chunk.values],
        [line for chunk in chunks for line in chunk.lines],
        [fault for chunk in chunks for fault in chunk.faults],
    )


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "records.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def records(tmp_path: Path, text: str | bytes, layout: CsvLayout = COMMA) -> list[Any]:
    return read(written(tmp_path, text), layout)[0]


def test_a_header_names_the_columns_and_values_give_their_types(tmp_path: Path) -> None:
    text = 'n,b,t,"a,b"\n1,true,x,1e3\n-2.50,false,"say ""hi""\nthere",0\n'
    values, lines, faults = read(written(tmp_path, text))
    assert values == [
        {"n": 1, "b": True, "t": "x", "a,b": 1000.0},
        {"n": -2.5, "b": False, "t": 'say "hi"\nthere', "a,b": 0},
    ]
    assert lines == [2, 3]
    assert faults == []


def test_a_number_keeps_its_digits(tmp_path: Path) -> None:
    (chunk, *_) = read_csv(written(tmp_path, "a,b\n1.10, 12345678901234567890 \n"), COMMA)
    assert chunk.values == [b'{"a":1.10,"b":12345678901234567890}']


@pytest.mark.parametrize("value", ["007", "+1", ".5", "1.", "NaN", "Infinity", "0x1", "1_000", "-"])
def test_what_is_no_json_number_makes_a_column_text(tmp_path: Path, value: str) -> None:
    assert records(tmp_path, f"a\n1\n{value}\n2\n") == [{"a": "1"}, {"a": value}, {"a": "2"}]


def test_values_that_only_look_like_numbers_when_joined_are_text(tmp_path: Path) -> None:
    layout = CsvLayout(delimiter=";")
    assert records(tmp_path, 'a;b\n"1,2";5\n', layout) == [{"a": "1,2", "b": 5}]


def test_one_type_holds_for_the_whole_file(tmp_path: Path) -> None:
    rows = BATCH_RECORDS_MAX + 1
    found = records(tmp_path, "a,b\n" + "1,true\n" * rows + "x,1\n")
    assert found[0] == {"a": "1", "b": "true"}
    assert found[-1] == {"a": "x", "b": "1"}
    assert len(found) == rows + 1


def test_an_empty_value_is_missing(tmp_path: Path) -> None:
    found = records(tmp_path, "n,b,t,none\n1,,x,\n,true,,\n")
    assert found == [{"n": 1, "t": "x"}, {"b": True}]


def test_columns_can_be_named_where_there_is_no_header(tmp_path: Path) -> None:
    layout = CsvLayout(delimiter=";", columns=("fixed acidity", "quality"))
    values, lines, _ = read(written(tmp_path, "7.4;5\n7.8;6\n"), layout)
    assert values[1] == {"fixed acidity": 7.8, "quality": 6}
    assert lines == [1, 2]


def test_a_column_of_strings_is_text_whatever_is_in_it(tmp_path: Path) -> None:
    layout = CsvLayout(strings=frozenset({"zip"}))
    assert records(tmp_path, "zip,n\n8001,1\n", layout) == [{"zip": "8001", "n": 1}]


def test_a_column_of_numbers_keeps_its_numbers_whatever_else_is_in_it(tmp_path: Path) -> None:
    layout = CsvLayout(numbers=frozenset({"n"}))
    assert records(tmp_path, "n\n1\nn/a\n2\n", layout) == [{"n": 1}, {"n": "n/a"}, {"n": 2}]


@pytest.mark.parametrize("text", ["n\n1\n2\nn/a\n3\n", "n\nn/a\n1\n2\n3\n"])
def test_a_value_that_makes_a_column_of_numbers_text_is_told_with_its_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    with caplog.at_level(logging.WARNING, "modelstream"):
        assert records(tmp_path, text)[0]["n"] in {"1", "n/a"}
    line = text.split("\n").index("n/a") + 1
    assert f"records.csv:{line}: column 'n' is text because of 'n/a'" in caplog.text
    assert "--numbers" in caplog.text


def test_a_column_of_texts_is_no_surprise(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "modelstream"):
        records(tmp_path, "t\nred\n5\nblue\n")
    assert caplog.text == ""


def test_a_row_of_another_width_is_a_fault_of_its_line(tmp_path: Path) -> None:
    values, lines, faults = read(written(tmp_path, 'a,b\n1,2\n\n3\n"x\ny",1,2\n5,6\n'))
    assert values == [{"a": 1, "b": 2}, {"a": 5, "b": 6}]
    assert lines == [2, 7]
    assert [fault.line for fault in faults] == [4, 5]
    assert "1 values where there are 2 columns" in faults[0].reason


def test_a_row_that_is_no_csv_is_a_fault_of_its_line(tmp_path: Path) -> None:
    values, _, faults = read(written(tmp_path, 'a,b\n1,2\n"x"y,2\n3,4\n'))
    assert values == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert [(fault.line, fault.reason[:13]) for fault in faults] == [(3, "not valid CSV")]


def test_a_row_that_is_not_utf_8_is_a_fault_of_its_line(tmp_path: Path) -> None:
    values, lines, faults = read(written(tmp_path, b"a,b\nx,1\n\xff,2\ny,3\n"))
    assert values == [{"a": "x", "b": 1}, {"a": "y", "b": 3}]
    assert (lines, faults) == ([2, 4], [Fault(3, "not UTF-8")])


def test_a_quote_that_never_ends_is_a_fault(tmp_path: Path) -> None:
    values, _, faults = read(written(tmp_path, 'a,b\n1,2\n"x,3\n4,5\n'))
    assert values == [{"a": 1, "b": 2}]
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("text", "layout", "told"),
    [
        ("", COMMA, "is empty"),
        ("a,a\n1,2\n", COMMA, "'a' twice"),
        ("a,\n1,2\n", COMMA, "no name for column 2"),
        ("a,b\n1,2\n", CsvLayout(strings=frozenset({"c"})), "no column 'c'; it has a, b"),
        ("a,b\n1,2\n", CsvLayout(numbers=frozenset({"c"})), "no column 'c'"),
        ('"a""b"\n1\n', COMMA, "name"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, text: str, layout: CsvLayout, told: str
) -> None:
    with pytest.raises(InvalidRecord, match=told):
        records(tmp_path, text, layout)


def test_csv_cannot_be_piped() -> None:
    with pytest.raises(InvalidRecord, match="twice"):
        list(read_csv(Path("-"), COMMA))


@given(
    st.lists(
        st.tuples(st.integers(), st.booleans(), st.text(st.characters(codec="utf-8"), min_size=1)),
        min_size=1,
        max_size=20,
    )
)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bool, str]]
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["n", "b", "t"])
    writer.writerows((n, str(b).lower(), t) for n, b, t in rows)
    path = written(tmp_path_factory.mktemp("csv"), text.getvalue())
    found, _, faults = read(path, CsvLayout(strings=frozenset({"t"})))
    assert found == [{"n": n, "b": b, "t": t} for n, b, t in rows]
    assert faults == []


def test_the_wines_are_numbers(shared_data: Path) -> None:
    layout = CsvLayout(delimiter=";", columns=tuple(f"c{index}" for index in range(12)))
    values, _, faults = read(shared_data / "wine" / "winequality_red.csv", layout)
    assert len(values) == 1599
    assert faults == []
    assert all(type(value) in {int, float} for row in values for value in row.values())
