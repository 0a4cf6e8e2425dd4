"""Artifacts of every format with records for them: what the one contract of formats is tried on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from modelstream.formats.base import Hints
from modelstream.messages import Columns
from tests.support import graphs, trained

# A tree over a number and a word, whose score is a class with probabilities.
_PMML_TREE = b"""<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">
  <Header/>
  <DataDictionary>
    <DataField name="age" optype="continuous" dataType="double"/>
    <DataField name="town" optype="categorical" dataType="string"/>
    <DataField name="answer" optype="categorical" dataType="string">
      <Value value="no"/><Value value="yes"/>
    </DataField>
  </DataDictionary>
  <TreeModel functionName="classification" missingValueStrategy="defaultChild">
    <MiningSchema>
      <MiningField name="age"/><MiningField name="town"/>
      <MiningField name="answer" usageType="target"/>
    </MiningSchema>
    <Output>
      <OutputField name="chance" optype="continuous" dataType="double" feature="probability" value="yes"/>
    </Output>
    <Node id="0" score="no" recordCount="10" defaultChild="1"><True/>
      <ScoreDistribution value="no" recordCount="6"/><ScoreDistribution value="yes" recordCount="4"/>
      <Node id="1" score="no" recordCount="6">
        <SimplePredicate field="age" operator="lessThan" value="40"/>
        <ScoreDistribution value="no" recordCount="5"/><ScoreDistribution value="yes" recordCount="1"/>
      </Node>
      <Node id="2" score="yes" recordCount="4">
        <SimplePredicate field="age" operator="greaterOrEqual" value="40"/>
        <ScoreDistribution value="no" recordCount="1"/><ScoreDistribution value="yes" recordCount="3"/>
      </Node>
    </Node>
  </TreeModel>
</PMML>"""

_PMML_LINE = b"""<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4">
  <Header/>
  <DataDictionary>
    <DataField name="a" optype="continuous" dataType="double"/>
    <DataField name="b" optype="continuous" dataType="double"/>
    <DataField name="y" optype="continuous" dataType="double"/>
  </DataDictionary>
  <RegressionModel functionName="regression">
    <MiningSchema>
      <MiningField name="a"/><MiningField name="b"/><MiningField name="y" usageType="target"/>
    </MiningSchema>
    <RegressionTable intercept="1">
      <NumericPredictor name="a" coefficient="2"/><NumericPredictor name="b" coefficient="-3"/>
    </RegressionTable>
  </RegressionModel>
</PMML>"""


@dataclass(frozen=True, slots=True)
class FormatCase:
    """One artifact and what is needed to score with it."""

    format: str
    artifact: Callable[[], bytes]
    columns: Callable[[], Columns]
    hints: Hints


def _numbers() -> Columns:
    rng = np.random.default_rng(3)
    return {"a": rng.normal(size=13), "b": rng.normal(size=13)}


def _people() -> Columns:
    rng = np.random.default_rng(4)
    town = rng.choice(np.array(["Bonn", "Ulm"], dtype=object), 13)
    return {"age": rng.uniform(18, 80, 13), "town": town}


def _trained(name: str, hints: Hints) -> FormatCase:
    train = trained.MODELS[name]
    return FormatCase("onnx", lambda: train().onnx, lambda: _first(train().columns), hints)


def _first(columns: Columns) -> Columns:
    return {name: column[:13] for name, column in columns.items()}


def _sequences() -> Columns:
    return {"x": np.arange(13 * 6, dtype=np.float64).reshape(13, 2, 3)}


CASES: dict[str, FormatCase] = {
    "onnx-linear": FormatCase("onnx", graphs.linear, _numbers, Hints(("a", "b"))),
    "onnx-tensor": FormatCase(
        "onnx", lambda: graphs.doubled(graphs.FLOAT, ("N", 2, 3), ("N", 2, 3)), _sequences, Hints()
    ),
    "onnx-classes": _trained("logistic", Hints(trained.names(4), ("one", "two", "three"))),
    "onnx-mixed": _trained("mixed", Hints()),
    "onnx-network": _trained("network", Hints(trained.names(4))),
    "pmml-tree": FormatCase("pmml", lambda: _PMML_TREE, _people, Hints()),
    "pmml-line": FormatCase("pmml", lambda: _PMML_LINE, _numbers, Hints()),
}
