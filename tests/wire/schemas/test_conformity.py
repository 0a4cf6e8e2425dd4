import json
from pathlib import Path
from typing import Any

import pytest

from modelstream.errors import InvalidFlow
from modelstream.wire.schemas.conformity import Conformity

WINE = {
    "type": "object",
    "required": ["alcohol"],
    "properties": {
        "alcohol": {"type": "number", "minimum": 0},
        "tags": {"items": {"type": "string"}},
    },
}


def written(path: Path, schema: Any) -> str:
    file = path / "wine.schema.json"
    file.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return str(file)


def test_what_violates_a_schema_is_told_with_its_place(tmp_path: Path) -> None:
    records = [b'{"alcohol":9}', b'{"alcohol":-1}', b"{}", b'{"alcohol":1,"tags":["a",2]}', b"?"]
    failures = Conformity(written(tmp_path, WINE)).failures(records)
    assert set(failures) == {1, 2, 3}, "what is no JSON is for others to tell"
    assert {each.reason for each in failures.values()} == {"schema_violation"}
    assert failures[1].detail.startswith("at /alcohol: ")
    assert failures[2].detail == 'at /: "alcohol" is a required property'
    assert failures[3].detail.startswith("at /tags/1: ")


@pytest.mark.parametrize("schema", ["{", '{"type": "no such type"}', '{"pattern": "("}'])
def test_what_is_no_schema_is_a_wrong_flow(tmp_path: Path, schema: str) -> None:
    with pytest.raises(InvalidFlow, match="no JSON Schema"):
        Conformity(written(tmp_path, schema))


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/other.json", "file:///etc/hostname"])
def test_other_documents_are_not_fetched(tmp_path: Path, uri: str) -> None:
    with pytest.raises(InvalidFlow, match="another document"):
        Conformity(written(tmp_path, {"$ref": uri}))


def test_a_missing_file_is_a_wrong_flow(tmp_path: Path) -> None:
    with pytest.raises(InvalidFlow, match="No such file"):
        Conformity(str(tmp_path / "none.json"))


def test_patterns_that_backtrack_come_to_an_end(tmp_path: Path) -> None:
    checks = Conformity(written(tmp_path, {"pattern": "^(a+)+$"}))
    assert 0 in checks.failures([json.dumps("a" * 5000 + "!").encode()])
