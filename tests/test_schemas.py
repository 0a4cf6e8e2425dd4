from pathlib import Path
from typing import Any

import pytest

from modelstream.errors import InvalidFlow
from modelstream.flow import Flow, flow_of_plain, load_flow, parse_flow, plain_flow
from modelstream.schemas import Schemas, bind_of, schemas_of


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"records": "xml"}, "use one of"),
        ({"results": "xml"}, "use one of"),
        ({"records": "avro"}, "give one of them"),
        ({"records": "avro", "file": "a", "registry": "http://r"}, "give one of them"),
        ({"records": "protobuf", "file": "a"}, "schemas.message"),
        ({"records": "protobuf", "registry": "http://r", "message": "M"}, "schemas.message"),
        ({"records": "avro", "file": "a", "message": "M"}, "schemas.message"),
        ({"file": "a"}, "check JSON records by json_schema"),
        ({"results": "avro", "registry": "ftp://r"}, "write https"),
        ({"results": "avro", "registry": "http://me:secret@r"}, "write https"),
        (
            {
                "results": "avro",
                "registry": "http://r",
                "registry_user": "a",
                "registry_token": "b",
            },
            "two ways",
        ),
        ({"recrods": "avro"}, "its keys are records"),
        ({"records": 7}, "a table of texts"),
    ],
)
def test_what_cannot_work_is_refused_with_the_fix(table: Any, why: str) -> None:
    with pytest.raises(InvalidFlow, match=why) as told:
        schemas_of(table)
    assert "secret" not in str(told.value)


def test_passwords_are_not_shown() -> None:
    told = Schemas(results="avro", registry="http://r", registry_password="hush")
    assert "hush" not in repr(told)


def test_a_fault_is_told_with_its_line() -> None:
    with pytest.raises(InvalidFlow, match=r"flow\.toml:2: schemas\.records is 'xml'"):
        parse_flow('name = "wine"\n[schemas]\nrecords = "xml"\n')
    with pytest.raises(InvalidFlow, match=r"flow\.toml:2: bind\.a is 7"):
        parse_flow('name = "wine"\n[bind]\na = 7\n')


def test_files_are_beside_the_flow(tmp_path: Path) -> None:
    path = tmp_path / "flow.toml"
    path.write_text('name = "w"\n[schemas]\nrecords = "avro"\nfile = "w.avsc"\n')
    assert load_flow(path).schemas.file == str(tmp_path / "w.avsc")


def test_both_tables_go_to_another_process() -> None:
    flow = Flow(
        name="w",
        schemas=Schemas(records="avro", file="/w.avsc", results="protobuf"),
        bind={"a": "b.c", "v": ("x", "y")},
    )
    assert flow_of_plain(plain_flow(flow)) == flow


def test_inputs_are_bound_to_one_field_or_to_several() -> None:
    assert bind_of({"a": "b", "v": ["x", "y.z"]}) == {"a": "b", "v": ("x", "y.z")}
    wrongs: tuple[Any, ...] = ("b", {"a": []}, {"a": ""}, {"a": [1]})
    for wrong in wrongs:
        with pytest.raises(InvalidFlow):
            bind_of(wrong)
