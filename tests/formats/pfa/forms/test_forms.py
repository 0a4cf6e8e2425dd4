"""Special forms, by their definitions (PFA 0.8.1); each is run by rows and by columns."""

from typing import Any

import pytest

from modelstream.errors import InvalidModel
from modelstream.formats.pfa.faults import Fault, Stopped
from tests.support.pfa import answer, answers

OPTIONAL = ["null", "double"]
DOUBLES = {"type": "array", "items": "double"}
POINT = {
    "type": "record",
    "name": "Point",
    "fields": [
        {"name": "x", "type": "double"},
        {"name": "tags", "type": {"type": "map", "values": "int"}},
    ],
}


def values(found: list[Any]) -> list[Any]:
    return [str(each) if isinstance(each, Fault) else each for each in found]


def test_literals_have_their_types() -> None:
    assert answer({"double": 3}, "double") == 3.0
    assert answer([{"string": "text"}], "string") == "text"
    assert answer([{"base64": "aGk="}], "bytes") == b"hi"
    assert answer([{"type": DOUBLES, "value": [1, 2]}], DOUBLES) == [1.0, 2.0]
    assert answer([{"s.len": [["abc"]]}], "int") == 3


def test_numbers_without_a_point_are_ints_or_longs() -> None:
    assert answer([{"+": [2147483647, 0]}], "int") == 2147483647
    with pytest.raises(Fault, match="int overflow"):
        answer([{"+": [2147483647, 1]}], "int")
    assert answer([{"+": [2147483648, 1]}], "long") == 2147483649


def test_let_and_set_keep_values() -> None:
    action = [{"let": {"x": "input", "y": 1.0}}, {"set": {"x": {"+": ["x", "y"]}}}, "x"]
    assert answers(action, "double", "double", [1, 2]) == [2.0, 3.0]


def test_a_name_is_declared_once_and_before_it_is_set() -> None:
    for action, words in (
        ([{"let": {"input": 1}}, 1], "declared already"),
        ([{"set": {"x": 1}}, 1], "unknown symbol 'x'"),
        ([{"+": [{"let": {"x": 1}}, 1]}], "no symbol can be declared here"),
        ([{"let": {"x": 1}}, {"set": {"x": 1.5}}, 1], "double stands where int"),
        (["nobody"], "unknown symbol 'nobody'"),
        ([{"set": {"input": 1}}, 1], "cannot be assigned to"),
    ):
        with pytest.raises(InvalidModel, match=words):
            answer(action, "int", "int", 1)


def test_if_takes_one_branch_for_each_row() -> None:
    action = [{"if": {">": ["input", 0]}, "then": {"m.ln": "input"}, "else": {"u-": "input"}}]
    assert answers(action, "double", "double", [1, -2]) == [0.0, 2.0]


def test_a_fault_in_a_branch_is_that_of_the_rows_that_take_it() -> None:
    action = [
        {
            "if": {"==": ["input", 0]},
            "then": {"error": "zero", "code": -7},
            "else": {"//": [6, "input"]},
        }
    ]
    found = answers(action, "int", "int", [3, 0, 2])
    assert values(found) == [2, "zero (PFA error -7)", 3]


def test_branches_of_two_types_make_a_union() -> None:
    action = [{"if": "input", "then": 1, "else": {"string": "no"}}]
    assert answers(action, "boolean", ["int", "string"], [True, False]) == [1, "no"]


def test_cond_takes_the_first_that_holds() -> None:
    action = [
        {
            "cond": [
                {"if": {"<": ["input", 0]}, "then": {"string": "less"}},
                {"if": {"==": ["input", 0]}, "then": {"string": "same"}},
            ],
            "else": {"string": "more"},
        }
    ]
    assert answers(action, "int", "string", [-1, 0, 1]) == ["less", "same", "more"]


def test_a_set_in_a_branch_holds_for_its_rows() -> None:
    action = [
        {"let": {"y": 0.0}},
        {"if": {">": ["input", 1]}, "then": {"set": {"y": "input"}}},
        "y",
    ]
    assert answers(action, "double", "double", [1, 2, 3]) == [0.0, 2.0, 3.0]


def test_ifnotnull_names_what_is_known() -> None:
    action = [{"ifnotnull": {"x": "input"}, "then": {"+": ["x", 1]}, "else": -1}]
    assert answers(action, OPTIONAL, "double", [None, {"double": 2}]) == [-1.0, 3.0]
    with pytest.raises(InvalidModel, match="is never null"):
        answer([{"ifnotnull": {"x": "input"}, "then": "x"}], "null", "double", 1)


def test_cast_tells_the_types_of_a_union_apart() -> None:
    cases = [
        {"as": "int", "named": "n", "do": {"+": ["n", 1]}},
        {"as": "string", "named": "s", "do": {"s.len": "s"}},
    ]
    action = [{"cast": "input", "cases": cases}]
    assert answers(action, ["int", "string"], "int", [{"int": 2}, {"string": "abcd"}]) == [3, 4]
    with pytest.raises(InvalidModel, match="there is none for string"):
        answer([{"cast": "input", "cases": cases[:1]}], "int", ["int", "string"], {"int": 1})


def test_an_upcast_changes_the_type() -> None:
    assert answer([{"upcast": "input", "as": "double"}], "double", "int", 2) == 2.0
    with pytest.raises(InvalidModel, match="cannot be made a int"):
        answer([{"upcast": "input", "as": "int"}], "int", "double", 2)


def test_try_catches_what_its_filter_names() -> None:
    body = {"error": "bad", "code": 5}
    assert answer([{"try": body}], "null") is None
    assert answer([{"try": {"+": ["input", 1]}}], ["int", "null"], "int", 2) == 3
    assert (
        answer([{"try": {"//": [1, "input"]}, "filter": [18040]}], ["int", "null"], "int", 0)
        is None
    )
    with pytest.raises(Fault, match="bad"):
        answer([{"try": body, "filter": ["worse", 6]}, 1], "int")


def test_loops_repeat() -> None:
    counted = [
        {"let": {"n": 0, "x": "input"}},
        {"while": {">": ["x", 1]}, "do": [{"set": {"x": {"/": ["x", 2]}, "n": {"+": ["n", 1]}}}]},
        "n",
    ]
    assert answers(counted, "double", "int", [1, 8, 5]) == [0, 3, 3]
    until = [
        {"let": {"n": 0}},
        {"do": {"set": {"n": {"+": ["n", 2]}}}, "until": {">=": ["n", "input"]}},
        "n",
    ]
    assert answers(until, "int", "int", [1, 4, 5]) == [2, 4, 6]
    summed = [
        {"let": {"s": 0}},
        {
            "for": {"i": 1},
            "while": {"<=": ["i", "input"]},
            "step": {"i": {"+": ["i", 1]}},
            "do": {"set": {"s": {"+": ["s", "i"]}}},
        },
        "s",
    ]
    assert answers(summed, "int", "int", [0, 3, 4]) == [0, 6, 10]


def test_foreach_and_forkey_go_through_all_items() -> None:
    total = [
        {"let": {"s": 0.0}},
        {"foreach": "x", "in": "input", "do": {"set": {"s": {"+": ["s", "x"]}}}},
        "s",
    ]
    assert answers(total, DOUBLES, "double", [[1, 2], [3, 4]]) == [3.0, 7.0]
    assert answers(total, DOUBLES, "double", [[], [3, 4]]) == [0.0, 7.0]
    keys = [
        {"let": {"s": {"string": ""}}},
        {
            "forkey": "k",
            "forval": "v",
            "in": "input",
            "do": {"set": {"s": {"s.concat": ["s", {"s.repeat": ["k", "v"]}]}}},
        },
        "s",
    ]
    assert answers(keys, {"type": "map", "values": "int"}, "string", [{"a": 2, "b": 1}]) == ["aab"]
    with pytest.raises(InvalidModel, match="cannot be assigned to"):
        answer(
            [
                {"let": {"s": 1}},
                {"foreach": "x", "in": "input", "do": {"set": {"s": 2}}, "seq": False},
                "s",
            ],
            "int",
            DOUBLES,
            [],
        )


def test_a_loop_that_never_ends_is_stopped() -> None:
    with pytest.raises(Stopped, match="steps"):
        answer([{"while": True, "do": {"doc": "again"}}, 1], "int", "int", 1)


def test_paths_reach_into_values() -> None:
    action = [{"+": ["input.x", "input.tags.a"]}]
    record = {"x": 1.5, "tags": {"a": 2}}
    assert answer(action, "double", POINT, record) == 3.5
    found = answers(["input.tags.a"], POINT, "int", [record, {"x": 1, "tags": {}}])
    assert values(found) == [2, "map key not found (PFA error 2001)"]
    found = answers([{"attr": "input", "path": [{"int": 1}]}], DOUBLES, "double", [[1, 2], [3]])
    assert values(found) == [2.0, "array index not found (PFA error 2000)"]
    with pytest.raises(InvalidModel, match="has no field"):
        answer(["input.y"], "double", POINT, record)


def test_a_part_is_replaced_in_a_copy() -> None:
    action = [
        {
            "let": {
                "changed": {
                    "attr": "input",
                    "path": [["tags"], ["a"]],
                    "to": {"params": [{"old": "int"}], "ret": "int", "do": {"+": ["old", 1]}},
                }
            }
        },
        {"new": ["input.tags.a", "changed.tags.a"], "type": {"type": "array", "items": "int"}},
    ]
    assert answer(action, {"type": "array", "items": "int"}, POINT, {"x": 0, "tags": {"a": 5}}) == [
        5,
        6,
    ]


def test_cells_and_pools_are_read() -> None:
    cells = {"c": {"type": DOUBLES, "init": [1, 2, 3]}}
    pools = {"p": {"type": "int", "init": {"a": 4}}}
    assert answers([{"cell": "c", "path": ["input"]}], "int", "double", [0, 2], cells=cells) == [
        1.0,
        3.0,
    ]
    found = answers([{"pool": "p", "path": ["input"]}], "string", "int", ["a", "b"], pools=pools)
    assert values(found) == [4, "map key not found (PFA error 2009)"]


def test_begin_writes_cells_once() -> None:
    assert answer(
        [{"cell": "c"}], "int", cells={"c": {"type": "int", "init": 1}},
        begin=[{"cell": "c", "to": {"params": [{"old": "int"}], "ret": "int", "do": {"+": ["old", 41]}}}],
    ) == 42  # fmt: skip


def test_functions_of_the_document_call_each_other() -> None:
    fcns = {
        "fac": {
            "params": [{"n": "int"}],
            "ret": "int",
            "do": {
                "if": {"<=": ["n", 1]},
                "then": 1,
                "else": {"*": ["n", {"u.fac": {"-": ["n", 1]}}]},
            },
        }
    }
    assert answers([{"u.fac": "input"}], "int", "int", [1, 3, 5], fcns=fcns) == [1, 6, 120]
    twice = [{"a.map": ["input", {"fcn": "u.fac"}]}]
    ints = {"type": "array", "items": "int"}
    assert answers(twice, ints, ints, [[1, 3], [4, 5]], fcns=fcns) == [[1, 6], [24, 120]]


def test_a_reference_has_arguments_filled_in() -> None:
    fcns = {
        "add": {
            "params": [{"x": "double"}, {"y": "double"}],
            "ret": "double",
            "do": {"+": ["x", "y"]},
        }
    }
    action = [
        {"a.map": [{"type": DOUBLES, "value": [1, 2]}, {"fcn": "u.add", "fill": {"y": "input"}}]}
    ]
    assert answers(action, "double", DOUBLES, [10, 20], fcns=fcns) == [[11.0, 12.0], [21.0, 22.0]]


def test_an_enum_names_the_function_that_is_called() -> None:
    fcns = {
        name: {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", at]}}
        for at, name in enumerate("ab")
    }
    enum = {"type": "enum", "name": "Which", "symbols": ["a", "b"]}
    assert answers([{"call": "input", "args": [5]}], enum, "int", ["a", "b"], fcns=fcns) == [5, 6]


def test_logic_leaves_its_second_argument_alone() -> None:
    action = [{"&&": [{"!=": ["input", 0]}, {">": [{"//": [6, "input"]}, 2]}]}]
    assert answers(action, "int", "boolean", [0, 2, 6]) == [False, True, False]
    action = [{"||": [{"==": ["input", 0]}, {">": [{"//": [6, "input"]}, 2]}]}]
    assert answers(action, "int", "boolean", [0, 2, 6]) == [True, True, False]


def test_bytes_are_packed_and_unpacked() -> None:
    pack = {"pack": [{"int": "input"}, {"<short": 1}, {"length prefixed": {"base64": "aGk="}}]}
    assert answer([pack], "bytes", "int", 258) == b"\x00\x00\x01\x02\x01\x00\x02hi"
    unpack = {
        "unpack": pack,
        "format": [{"a": "int"}, {"b": "<short"}, {"c": "length prefixed"}],
        "then": {"+": ["a", "b"]},
        "else": -1,
    }
    assert answer([unpack], "int", "int", 258) == 259
    assert answer([{**unpack, "unpack": {"base64": "aGk="}}], "int", "int", 1) == -1


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ([{"+": [1, ["a"]]}], "does not take"),
        ([{"nobody.knows": [1]}], "'nobody.knows' is not evaluated"),
        ([{"rand.gaussian": [0.0, 1.0]}], "random"),
        ([{"u.missing": 1}], "no function 'u.missing'"),
        ([{"if": True}], "no special form"),
        ([{"emit": 1}], "only an engine with method 'emit'"),
        ([[1, 2]], "a list is no expression"),
        ([{"cell": "none"}], "no cell 'none'"),
        ([{"if": 1, "then": 2, "else": 3}], "a condition is boolean"),
        ([{"let": {}}, 1], "an object of symbols"),
        ([{"set": {"@": "here"}}, 1], "an object of symbols"),
        ([{"for": {}, "while": True, "step": {"i": 1}, "do": 1}, 1], "an object of symbols"),
        ([{"ifnotnull": {}, "then": 1, "else": 1}], "an object of symbols"),
        ([{"pack": []}, 1], "a list of objects"),
        (
            [{"attr": {"new": [1], "type": {"type": "array", "items": "int"}}, "path": []}, 1],
            "at least one",
        ),
        (
            [{"cast": 1, "cases": [{"as": "string", "named": "x", "do": 1}]}],
            "no value of int can be",
        ),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_with_its_place(action: Any, words: str) -> None:
    with pytest.raises(InvalidModel, match=words) as caught:
        answer(action, "int")
    assert str(caught.value).startswith("action.0")
