"""Attacks on a PMML reader in their full size, and a process with little memory that meets them.

`python -m tests.support.pmml_attacks` tries one after the other and prints the refusals as JSON.
"""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats import limits
from tests.support.pmml import document, lower, regression, schema

MEMORY_BYTES = 512 * 1024 * 1024
X = '<DataField name="x" optype="continuous" dataType="double"/>'
C = '<DataField name="c" optype="categorical" dataType="string"/>'
TEST = '<SimplePredicate field="x" operator="lessThan" value="1"/>'
REF = '<FieldRef field="x"/>'
STUMP = f'<Node score="1"><True/><Node score="2">{TEST}</Node></Node>'
TREE = f'<TreeModel functionName="regression">{schema("x")}{STUMP}</TreeModel>'


@dataclass(frozen=True)
class Attack:
    """A document, the words of its refusal, and the elements that are read before it, at most."""

    data: Callable[[], bytes]
    words: str
    elements: int = 1_000


def tree(nodes: str) -> bytes:
    """Return a tree with these nodes below its root."""
    start = f'<TreeModel functionName="regression">{schema("x")}<Node score="0"><True/>'
    return document(f"{start}{nodes}</Node></TreeModel>", X + C)


def trees(count: int) -> str:
    """Return an ensemble of small trees."""
    segment = f"<Segment><True/>{TREE}</Segment>"
    return (
        f'<MiningModel functionName="regression">{schema("x")}<Segmentation '
        f'multipleModelMethod="sum">{segment * count}</Segmentation></MiningModel>'
    )


def fields(count: int, expression: str = REF, kind: str = "double") -> str:
    """Return computed fields."""
    return "".join(
        f'<DerivedField name="d{n}" optype="continuous" dataType="{kind}">{expression}'
        "</DerivedField>"
        for n in range(count)
    )


def transformed(inner: str) -> bytes:
    """Return a regression on the computed field d0."""
    body = regression('<NumericPredictor name="d0" coefficient="1"/>', names=("x", "c"))
    shared = f"<TransformationDictionary>{inner}</TransformationDictionary>"
    return document(body, X + C, shared)


def function(name: str, *calls: str) -> str:
    """Return a function that adds what others answer."""
    called = "".join(f'<Apply function="{f}"><FieldRef field="p"/></Apply>' for f in calls)
    return (
        f'<DefineFunction name="{name}" optype="continuous" dataType="double">'
        f'<ParameterField name="p"/><Apply function="sum">{called}</Apply></DefineFunction>'
    )


def called(name: str, functions: str) -> bytes:
    """Return a document that calls a function."""
    return transformed(functions + fields(1, f'<Apply function="{name}">{REF}</Apply>'))


def declaring(declarations: str) -> bytes:
    """Return a document with a document type."""
    return document(regression()).replace(b"?>", f"?><!DOCTYPE PMML {declarations}>".encode(), 1)


def matching(pattern: str) -> bytes:
    """Return a document that matches texts with a pattern."""
    arguments = f'<FieldRef field="c"/><Constant dataType="string">{pattern}</Constant>'
    return transformed(fields(1, f'<Apply function="matches">{arguments}</Apply>'))


LAUGHS = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(20))
BIN = '<DiscretizeBin binValue="1"><Interval closure="closedOpen" leftMargin="0"/></DiscretizeBin>'
TABLE = '<MapValues outputColumn="a"><FieldColumnPair field="c" column="b"/><InlineTable>'
OUTPUT = '<OutputField name="o"/>'
ROW = "<row><b>k</b><a>1</a></row>"
DECLARED = "document type or entities"

ATTACKS: dict[str, Attack] = {
    "a billion laughs": Attack(lambda: declaring(f'[<!ENTITY a0 "ha">{LAUGHS}]'), DECLARED),
    "a file": Attack(lambda: declaring('[<!ENTITY a SYSTEM "file:///etc/passwd">]'), DECLARED),
    "a foreign DTD": Attack(lambda: declaring('SYSTEM "http://127.0.0.1:9/x.dtd"'), DECLARED),
    "nested nodes": Attack(
        lambda: tree('<Node score="1"><True/>' * 100_000 + "</Node>" * 100_000),
        "nested deeper than 1000",
        3_000,
    ),
    "an expression for ever": Attack(lambda: matching("^(a+)+$"), "can take for ever"),
    "an expression of repeated choices": Attack(lambda: matching("^(a|aa)+$"), "can take for ever"),
    "a function of itself": Attack(lambda: called("f", function("f", "f")), "calls itself"),
    "functions that double": Attack(
        lambda: called(
            "f40",
            function("f0", "abs")
            + "".join(function(f"f{n + 1}", *[f"f{n}"] * 2) for n in range(40)),
        ),
        "more than 20000 function calls",
    ),
    "segments": Attack(lambda: document(trees(100_000)), "more than 10000 Segment", 100_000),
    "segments in segments": Attack(
        lambda: document(
            f'<MiningModel functionName="regression">{schema("x")}<Segmentation '
            'multipleModelMethod="sum">'
            + f"<Segment><True/>{trees(2_000)}</Segment>" * 50
            + "</Segmentation></MiningModel>"
        ),
        "more than 50000 Segment",
        500_000,
    ),
    "computed fields": Attack(
        lambda: transformed(fields(200_000)), "more than 50000 DerivedField", 110_000
    ),
    "functions": Attack(
        lambda: transformed(function("f", "abs") * 100_000),
        "more than 10000 DefineFunction",
        60_000,
    ),
    "nodes side by side": Attack(
        lambda: tree(f'<Node score="1">{TEST}</Node>' * 300_000), "more than 20000 Node", 50_000
    ),
    "predicates side by side": Attack(
        lambda: tree(
            '<Node score="1"><CompoundPredicate booleanOperator="or">'
            + TEST * 300_000
            + "</CompoundPredicate></Node>"
        ),
        "more than 20000 SimplePredicate",
        30_000,
    ),
    "arguments": Attack(
        lambda: transformed(fields(1, f'<Apply function="sum">{REF * 300_000}</Apply>')),
        "more than 10000 FieldRef",
        20_000,
    ),
    "bins": Attack(
        lambda: transformed(fields(1, f'<Discretize field="x">{BIN * 300_000}</Discretize>')),
        "more than 50000 DiscretizeBin",
        110_000,
    ),
    "equations": Attack(
        lambda: document(regression("</RegressionTable><RegressionTable intercept='0'>" * 300_000)),
        "more than 50000 RegressionTable",
        60_000,
    ),
    "outputs": Attack(
        lambda: document(regression(inner=f"<Output>{OUTPUT * 300_000}</Output>")),
        "more than 20000 OutputField",
        30_000,
    ),
    "rows of a table": Attack(
        lambda: transformed(fields(1, f"{TABLE}{ROW * 300_000}</InlineTable></MapValues>")),
        "more than 200000 row",
        700_000,
    ),
    "columns of a table": Attack(
        lambda: transformed(
            fields(1, f"{TABLE}<row>{'<b>1</b>' * 300_000}</row></InlineTable></MapValues>")
        ),
        "more than 10000 b",
        20_000,
    ),
    "one long array": Attack(
        lambda: tree(
            '<Node><SimpleSetPredicate field="x" booleanOperator="isIn"><Array type="real">'
            + "1 " * 25_000_000
            + "</Array></SimpleSetPredicate></Node>"
        ),
        "a text of 50000000 characters",
    ),
    "extensions": Attack(
        lambda: document(regression(inner="<Extension/>" * 3_000_000)),
        "elements of documentation",
        1_100_000,
    ),
}


def met() -> dict[str, str]:
    """Try all attacks; return what each came to."""
    outcomes = {}
    for name, attack in ATTACKS.items():
        limits.PMML_ELEMENTS_MAX = attack.elements  # reached first, it would be in the refusal
        try:
            lower(attack.data())
            outcomes[name] = "a model"
        except (InvalidModel, UnsupportedModel) as refusal:
            outcomes[name] = str(refusal)[:500]
    return outcomes


def data_bytes() -> int:
    """Return the memory that this process has written or may write."""
    lines = Path("/proc/self/status").read_text().splitlines()
    told = next(line for line in lines if line.startswith("VmData:"))
    return int(told.split()[1]) * 1024


if __name__ == "__main__":
    allowed = data_bytes() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    sys.stdout.write(json.dumps(met()))
