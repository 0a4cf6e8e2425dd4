"""Documents that are small to write and large to evaluate: each is refused by a named limit.

What XML alone allows is in test_reader.py, and the way through admission in tests/faults.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import pytest

from modelstream import limits as system_limits
from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import KIND, C, X, document, lower, plain, regression, schema, score
from tests.support.pmml_documents import (
    ASSOCIATIONS,
    CLUSTERS,
    FIELDS,
    INSTANCES,
    LOGISTIC,
    MACHINE,
    NEIGHBORS,
    PROCESS,
    RULES,
    doc,
    ensemble,
    less,
    tree,
)


def call(function: str, *arguments: str) -> str:
    return f'<Apply function="{function}">{"".join(arguments)}</Apply>'


def field(name: str) -> str:
    return f'<FieldRef field="{name}"/>'


def text(value: str) -> str:
    return f'<Constant dataType="string">{value}</Constant>'


def computed(name: str, expression: str, kind: str = "string") -> str:
    return (
        f'<DerivedField name="{name}" optype="categorical" dataType="{kind}">{expression}'
        "</DerivedField>"
    )


def answering(fields: str, name: str, functions: str = "") -> bytes:
    """Return a document that answers with a computed field."""
    output = (
        '<Output><OutputField name="out" feature="transformedValue" dataType="string" '
        f'optype="categorical">{field(name)}</OutputField></Output>'
    )
    inner = f"{output}<LocalTransformations>{fields}</LocalTransformations>"
    shared = f"<TransformationDictionary>{functions}</TransformationDictionary>"
    return document(regression(inner=inner, names=("x", "c")), X + C, functions and shared)


def function(name: str, body: str) -> str:
    return (
        f'<DefineFunction name="{name}" optype="continuous" dataType="double">'
        f'<ParameterField name="p" optype="continuous" dataType="double"/>{body}</DefineFunction>'
    )


def children(count: int) -> str:
    """Return a tree whose root has many children."""
    nodes = "".join(f'<Node score="1">{less("x", n)}</Node>' for n in range(count))
    return (
        f'<TreeModel functionName="regression">{schema("x")}<Node score="0"><True/>{nodes}</Node>'
        "</TreeModel>"
    )


def wide(count: int) -> bytes:
    names = [f"f{n}" for n in range(count)]
    fields = "".join(
        f'<DataField name="{name}" optype="continuous" dataType="double"/>' for name in names
    )
    return document(regression(names=names), fields)


@dataclass(frozen=True)
class Bomb:
    """A document, the limit that refuses it, and the word that the refusal has."""

    data: Callable[[], bytes]
    limit: str
    to: int
    word: str
    module: ModuleType = limits


BOMBS: dict[str, Bomb] = {
    "functions that double": Bomb(
        lambda: answering(
            computed("d", call("f9", field("x")), "double"),
            "d",
            function("f0", call("+", field("p"), field("p")))
            + "".join(
                function(f"f{n + 1}", call("+", *[call(f"f{n}", field("p"))] * 2)) for n in range(9)
            ),
        ),
        "PMML_CALLS_MAX",
        1000,
        "function calls",
    ),
    "a table": Bomb(lambda: doc(NEIGHBORS), "PMML_TABLE_ROWS_MAX", 1, "more than 1 row"),
    "models": Bomb(
        lambda: doc(ensemble("weightedMajorityVote", *[LOGISTIC] * 4)),
        "PMML_MODELS_MAX",
        3,
        "models inside others",
    ),
    "trees": Bomb(
        lambda: doc(ensemble("average", *[tree()] * 4)), "TREES_MAX", 3, "Segment elements in one"
    ),
    "children of a node": Bomb(
        lambda: document(children(80)), "PMML_PREDICATES_MAX", 70, "more than 70 Node"
    ),
    "nodes that are columns": Bomb(
        lambda: document(children(80)), "PMML_CHOICES_MAX", 0, "more than 0 tree nodes"
    ),
    "rules": Bomb(lambda: doc(RULES), "PMML_PREDICATES_MAX", 2, "more than 2 predicates"),
    "leaves of many categories": Bomb(
        lambda: doc(tree()), "PMML_TABLE_CELLS_MAX", 5, "2 categories"
    ),
    "vectors": Bomb(lambda: doc(MACHINE), "PMML_TABLE_CELLS_MAX", 3, "2 vectors"),
    "clusters": Bomb(lambda: doc(CLUSTERS), "PMML_CLUSTERS_MAX", 1, "2 clusters"),
    "association rules": Bomb(
        lambda: doc(ASSOCIATIONS), "PMML_RULES_MAX", 0, "1 association rules"
    ),
    "long association rules": Bomb(
        lambda: doc(ASSOCIATIONS), "PMML_RULE_CHARS_MAX", 5, "6 characters"
    ),
    "a matrix of instances": Bomb(
        lambda: doc(PROCESS), "PMML_ENSEMBLE_CELLS_MAX", 3, "2 instances"
    ),
    "fields": Bomb(lambda: wide(3), "FIELDS_MAX", 2, "3 fields", system_limits),
}


@pytest.mark.parametrize("what", BOMBS)
def test_what_grows_is_refused_at_its_limit(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = BOMBS[what]
    lower(bomb.data())
    monkeypatch.setattr(bomb.module, bomb.limit, bomb.to)
    with pytest.raises((InvalidModel, UnsupportedModel), match=re.escape(bomb.word)):
        lower(bomb.data())


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|aa)+$", "(.*)*x", "((a{1,100}){1,100}){1,100}b", "(a*)*\\1"]
)
@pytest.mark.parametrize("name", ["matches", "replace"])
def test_a_regular_expression_that_may_take_for_ever_is_refused(name: str, pattern: str) -> None:
    arguments = [field("c"), text(pattern), *([text("b")] if name == "replace" else [])]
    with pytest.raises((InvalidModel, UnsupportedModel), match="regular expression"):
        lower(answering(computed("d", call(name, *arguments)), "d"))


def test_fields_that_double_a_string_stop_at_a_limit() -> None:
    doubled = computed("d0", field("c")) + "".join(
        computed(f"d{n + 1}", call("concat", field(f"d{n}"), field(f"d{n}"))) for n in range(40)
    )
    answers = score(answering(doubled, "d40"), x=[1, 1], c=["ha", ""])
    assert str(limits.PMML_STRING_CHARS_MAX) in answers.errors[0]
    assert plain(answers["out"]) == [None, ""]


def test_a_field_after_field_after_field_is_refused() -> None:
    chain = computed("d0", field("x"), "double") + "".join(
        computed(f"d{n + 1}", call("abs", field(f"d{n}")), "double") for n in range(1000)
    )
    with pytest.raises(InvalidModel, match="nested deeper"):
        lower(answering(chain, "d1000"))


@pytest.mark.parametrize("body", ["f", "g"])
def test_functions_that_call_themselves_are_refused(body: str) -> None:
    functions = function("f", call(body, field("p"))) + function("g", call("f", field("p")))
    with pytest.raises(InvalidModel, match="calls itself"):
        lower(answering(computed("d", call("f", field("x")), "double"), "d", functions))


def test_models_in_models_in_models_are_refused() -> None:
    body = tree()
    for _ in range(60):
        body = ensemble("modelChain", body)
    with pytest.raises(InvalidModel, match="nested deeper"):
        lower(doc(body))


@pytest.mark.parametrize("operator", ["and", "or", "xor", "surrogate"])
def test_predicates_that_would_double_stay_a_column(operator: str) -> None:
    predicate = less("x", 1)
    for n in range(9):
        predicate = (
            f'<CompoundPredicate booleanOperator="{operator}">{predicate}{less("z", n)}{predicate}'
            "</CompoundPredicate>"
        )
    body = (
        f'<TreeModel functionName="classification">{schema("x", "z", target="kind")}'
        f'<Node score="a"><True/><Node score="b">{predicate}</Node></Node></TreeModel>'
    )
    assert len(lower(document(body, FIELDS + KIND))) < 2 * len(body)


def test_the_record_count_of_instances_is_checked() -> None:
    more = INSTANCES.replace("<row>", "<row><x>1</x><z>1</z><y>1</y></row><row>", 1)
    with pytest.raises(InvalidModel, match="declare 2 records and hold 3"):
        lower(doc(NEIGHBORS.replace(INSTANCES, more)))
