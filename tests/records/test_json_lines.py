"""Record files of JSON lines: what is read, what is refused by its line, and keys."""

import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelstream.errors import InvalidRecord
from modelstream.limits import BATCH_RECORDS_MAX, RECORD_BYTES_MAX
from modelstream.records.json_lines import Chunk, Fault, keyed, read_json_lines


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "records.jsonl"
    path.write_bytes(data)
    return path


def all_of(path: Path) -> Chunk:
    chunks = list(read_json_lines(path))
    return Chunk(
        [value for chunk in chunks for value in chunk.values],
        [line for chunk in chunks for line in chunk.lines],
        [fault for chunk in chunks for fault in chunk.faults],
    )


def test_each_line_is_a_record_with_its_number(tmp_path: Path) -> None:
    found = all_of(written(tmp_path, b'{"a":1}\n\n  {"a":2} \r\nnot json\n{"a":3}'))
    assert found.values == [b'{"a":1}', b'{"a":2}', b"not json", b'{"a":3}']
    assert found.lines == [1, 3, 4, 5]
    assert found.faults == []


def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path: Path) -> None:
    assert all_of(written(tmp_path, b'\xef\xbb\xbf{"a":1}\n')).values == [b'{"a":1}']


def test_a_line_over_the_limit_is_refused_by_its_number_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    whole = b'"' + b"x" * (RECORD_BYTES_MAX - 2) + b'"'
    lines = [b"1", whole + b"x", b"2", whole, b"3" * (3 * RECORD_BYTES_MAX), b"4", whole + b"\r"]
    found = all_of(written(tmp_path, b"\n".join(lines) + b"\n"))
    assert found.values == [b"1", b"2", whole, b"4", whole]
    assert found.lines == [1, 3, 4, 6, 7]
    assert [fault.line for fault in found.faults] == [2, 5]
    assert str(RECORD_BYTES_MAX) in found.faults[0].reason


def test_a_fault_in_the_last_line_is_told(tmp_path: Path) -> None:
    found = all_of(written(tmp_path, b"x" * (RECORD_BYTES_MAX + 1)))
    assert (found.values, [fault.line for fault in found.faults]) == ([], [1])


def test_a_chunk_has_no_more_records_than_a_batch(tmp_path: Path) -> None:
    path = written(tmp_path, b"1\n" * (2 * BATCH_RECORDS_MAX + 1))
    sizes = [len(chunk.values) for chunk in read_json_lines(path)]
    assert max(sizes) == BATCH_RECORDS_MAX
    assert sum(sizes) == 2 * BATCH_RECORDS_MAX + 1


def test_a_minus_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1\n2\n")))
    assert all_of(Path("-")).values == [b"1", b"2"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRecord, match=r"nothing\.jsonl"):
        all_of(tmp_path / "nothing.jsonl")


@given(st.lists(st.integers(), max_size=30), st.sampled_from([b"\n", b"\r\n"]))
def test_every_record_written_is_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, records: list[int], end: bytes
) -> None:
    path = written(
        tmp_path_factory.mktemp("lines"), b"".join(str(each).encode() + end for each in records)
    )
    assert list(map(json.loads, all_of(path).values)) == records


def test_a_key_is_the_text_of_a_field_or_its_json() -> None:
    values = [b'{"id":"a b"}', b'{"id":17}', b'{"id":1.5}', b'{"id":true}', b'{"id":"\xc3\xa9"}']
    kept, keys = keyed(Chunk(values, [1, 2, 3, 4, 5], []), "id")
    assert keys == [b"a b", b"17", b"1.5", b"true", "é".encode()]
    assert kept == Chunk(values, [1, 2, 3, 4, 5], [])


@pytest.mark.parametrize("record", [b"{}", b'{"id":null}', b'{"id":[1]}', b"not json", b"[]"])
def test_a_record_without_a_key_is_a_fault_of_its_line(record: bytes) -> None:
    chunk = Chunk([b'{"id":1}', record, b'{"id":2}'], [1, 2, 3], [Fault(9, "earlier")])
    kept, keys = keyed(chunk, "id")
    assert (kept.values, kept.lines, keys) == ([b'{"id":1}', b'{"id":2}'], [1, 3], [b"1", b"2"])
    assert [fault.line for fault in kept.faults] == [2, 9]
    assert "'id'" in kept.faults[0].reason


def test_a_name_that_no_field_can_have_is_told() -> None:
    with pytest.raises(InvalidRecord, match="name"):
        keyed(Chunk([], [], []), 'a"b')
