"""What a document may be: its parts, and what would make an answer depend on other records."""

from typing import Any

import pytest

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pfa.document import compile_document
from tests.support.pfa import answer, answers, document

COUNTER = {"n": {"type": "int", "init": 0}}
COUNT = {"cell": "n", "to": {"params": [{"x": "int"}], "ret": "int", "do": {"+": ["x", 1]}}}


def refused(action: Any, words: str, **more: Any) -> None:
    with pytest.raises(UnsupportedModel, match=words):
        compile_document(document(action, "int", "int", **more))


def test_a_fold_depends_on_all_records_before() -> None:
    refused([{"+": ["tally", "input"]}], "method 'fold' is not evaluated", method="fold", zero="0")


def test_a_model_that_writes_its_state_as_it_scores_is_refused_by_the_name_of_the_state() -> None:
    refused([COUNT, 1], r"action.0: the model writes its own cell 'n'", cells=COUNTER)
    pool = {"pool": "p", "path": [["a"]], "to": 1, "init": 0}
    refused([pool, 1], "writes its own pool 'p'", pools={"p": {"type": "int"}})
    refused(
        [{"pool": "p", "del": ["a"]}, 1], "writes its own pool 'p'", pools={"p": {"type": "int"}}
    )


def test_a_function_that_writes_state_is_refused_where_a_record_may_reach_it() -> None:
    fcns = {
        "inner": {"params": [], "ret": "int", "do": COUNT},
        "outer": {"params": [], "ret": "int", "do": {"u.inner": []}},
    }
    refused([{"u.outer": []}], "fcns.inner.*writes its own cell 'n'", cells=COUNTER, fcns=fcns)
    assert answer([{"cell": "n"}], "int", cells=COUNTER, fcns=fcns, begin=[{"u.outer": []}]) == 1


@pytest.mark.parametrize("source", ["json", "avro", "http://example.org/model"])
def test_a_cell_is_not_read_from_elsewhere(source: str) -> None:
    cells = {"n": {"type": "int", "init": "/etc/passwd", "source": source}}
    refused([{"cell": "n"}], f"the source '{source}' is not read", cells=cells)


@pytest.mark.parametrize("name", ["actionsStarted", "actionsFinished"])
def test_an_answer_cannot_count_records(name: str) -> None:
    refused([name], f"'{name}' counts the records before")


def test_what_the_header_says_can_be_read() -> None:
    action = [
        {
            "s.join": [
                {"new": ["name", "metadata.by"], "type": {"type": "array", "items": "string"}},
                [" "],
            ]
        }
    ]
    assert answer(action, "string", name="Model", metadata={"by": "us"}) == "Model us"
    assert answer([{"+": ["version", "instance"]}], "int", version=3) == 3


def test_an_engine_that_ends_with_its_only_emit_maps() -> None:
    engine = compile_document(
        document([{"let": {"x": 1}}, {"emit": {"+": ["input", "x"]}}], "int", "int", method="emit")
    )
    assert not engine.emits
    assert answers([{"emit": [{"+": ["input", 1]}]}], "int", "int", [1, 2], method="emit") == [2, 3]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strange": 1}, "has no 'strange'"),
        ({"method": "guess"}, "not one of"),
        ({"options": 3}, "options: an object"),
        ({"name": "a b"}, "no name of an engine"),
        ({"metadata": {"a": 1}}, "an object of strings"),
        ({"version": "one"}, "a whole number"),
        ({"cells": {"c": {"init": 1}}}, "an object with a type"),
        ({"cells": {"c": {"type": "int"}}}, "needs 'init'"),
        ({"cells": {"c": {"type": "int", "init": "x"}}}, r"cells.c.init: 'x' is no int"),
        ({"fcns": {"f": {"params": []}}}, "a function has"),
        ({"output": "string"}, "gives int where the output is string"),
        ({"begin": [{"error": "no"}]}, "begin: no"),
        ({"action": []}, "there is no expression"),
        ({"end": [{"nonsense": 1}]}, "end.0"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_wrong_with_a_document_is_told(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidModel, match=words):
        compile_document({**document([1], "int", "int"), **changes})


@pytest.mark.parametrize("key", ["input", "output", "action"])
def test_a_document_needs_three_parts(key: str) -> None:
    whole = document([1], "int", "int")
    del whole[key]
    with pytest.raises(InvalidModel, match=f"lacks '{key}'"):
        compile_document(whole)


def test_a_record_takes_a_bounded_number_of_calls() -> None:
    fcns = {"f": {"params": [{"n": "int"}], "ret": "int", "do": {"u.f": {"+": ["n", 1]}}}}
    engine = compile_document(document([{"u.f": "input"}], "int", "int", fcns=fcns))
    with pytest.raises(RecursionError):
        engine.action.run(engine.frame(1))
