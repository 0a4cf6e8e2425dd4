"""Artifacts of every format with records for them: what the one contract of formats is tried on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from modelstream.formats.base import Hints, Remote
from modelstream.formats.remote import fetch_artifact
from modelstream.messages import Columns
from tests.support import (
    graphs,
    pipelines,
    tensorflow,
    tensorflow_answers,
    trained,
    tree_models,
    xgboost_models,
)
from tests.support.model_server import ModelServer

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

# A logistic regression, and boosted trees over a number and a word.
_PFA_LINE = b"""{
  "input": {"type": "record", "name": "Input", "fields": [
    {"name": "a", "type": "double"}, {"name": "b", "type": "double"}]},
  "output": "double",
  "cells": {"model": {
    "type": {"type": "record", "name": "Model", "fields": [
      {"name": "coeff", "type": {"type": "array", "items": "double"}},
      {"name": "const", "type": "double"}]},
    "init": {"coeff": [2, -3], "const": 1}}},
  "action": {"m.link.logit": {"model.reg.linear": [
    {"new": ["input.a", "input.b"], "type": {"type": "array", "items": "double"}},
    {"cell": "model"}]}}
}"""

_PFA_TREES = b"""{
  "input": {"type": "record", "name": "Person", "fields": [
    {"name": "age", "type": "double"}, {"name": "town", "type": "string"}]},
  "output": {"type": "record", "name": "Answer", "fields": [
    {"name": "score", "type": "double"}, {"name": "label", "type": "string"}]},
  "cells": {"trees": {
    "type": {"type": "array", "items": {"type": "record", "name": "Node", "fields": [
      {"name": "field", "type": {"type": "enum", "name": "Fields", "symbols": ["age", "town"]}},
      {"name": "operator", "type": "string"}, {"name": "value", "type": ["double", "string"]},
      {"name": "pass", "type": ["Node", "double"]}, {"name": "fail", "type": ["Node", "double"]}]}},
    "init": [
      {"field": "age", "operator": "<", "value": {"double": 40}, "pass": {"double": -1},
       "fail": {"Node": {"field": "town", "operator": "==", "value": {"string": "Ulm"},
                         "pass": {"double": 3}, "fail": {"double": 0.5}}}},
      {"field": "age", "operator": ">=", "value": {"double": 60}, "pass": {"double": 0.25},
       "fail": {"double": 0.125}}]}},
  "action": [
    {"let": {"scores": {"a.map": [{"cell": "trees"}, {
      "params": [{"tree": "Node"}], "ret": "double", "do": {"model.tree.simpleWalk": [
        "input", "tree", {"params": [{"d": "Person"}, {"t": "Node"}], "ret": "boolean",
                          "do": {"model.tree.simpleTest": ["d", "t"]}}]}}]}}},
    {"let": {"score": {"a.sum": "scores"}}},
    {"new": {"score": "score", "label": {"if": {">": ["score", 0]}, "then": {"string": "yes"},
                                          "else": {"string": "no"}}}, "type": "Answer"}]
}"""


@dataclass(frozen=True, slots=True)
class FormatCase:
    """One artifact and what is needed to score with it."""

    format: str
    artifact: Callable[[], bytes]
    columns: Callable[[], Columns]
    hints: Hints
    remote: Callable[[], Remote] = Remote


def _numbers() -> Columns:
    rng = np.random.default_rng(3)
    return {"a": rng.normal(size=13), "b": rng.normal(size=13)}


def _whole_and_not() -> Columns:
    return {"a": np.arange(13), "b": np.random.default_rng(5).normal(size=13)}


def _people() -> Columns:
    rng = np.random.default_rng(4)
    town = rng.choice(np.array(["Bonn", "Ulm"], dtype=object), 13)
    return {"age": rng.uniform(18, 80, 13), "town": town}


def _trained(name: str, hints: Hints) -> FormatCase:
    train = trained.MODELS[name]
    return FormatCase("onnx", lambda: train().onnx, lambda: _first(train().columns), hints)


def _tree_library(library: str, name: str) -> FormatCase:
    return FormatCase(
        library,
        lambda: tree_models.kept(library, name).model,
        lambda: tree_models.some_rows(library, name),
        Hints(),
    )


def _first(columns: Columns) -> Columns:
    return {name: column[:13] for name, column in columns.items()}


def _sequences() -> Columns:
    return {"x": np.arange(13 * 6, dtype=np.float64).reshape(13, 2, 3)}


@cache
def _server() -> ModelServer:
    """Return a server that runs as long as the tests do; its threads end with them."""
    return ModelServer()


def _allowed() -> Remote:
    return Remote((_server().host,))


def _positive() -> Columns:
    return {name: np.abs(column) for name, column in _numbers().items()}


def _pipeline() -> bytes:
    return pipelines.document(
        pipelines.inline(pipelines.TREE, name="tree"),
        {"one_hot": {"column": "town", "categories": ["Bonn", "Ulm"]}},
        {"expression": {"risk": "exp(chance) * age + `town(Ulm)`"}},
        {"scale": {"risk": {"mean": 40, "deviation": 12}}},
        pipelines.plus(1.0, inputs={"x": "risk"}, outputs={"score": "score"}),
        {"threshold": {"column": "score", "at": 1, "labels": ["no", "yes"], "as": "ask"}},
        outputs=["ask", "score", "risk"],
    )


CASES: dict[str, FormatCase] = {
    "onnx-linear": FormatCase("onnx", graphs.linear, _numbers, Hints(("a", "b"))),
    "onnx-tensor": FormatCase(
        "onnx", lambda: graphs.doubled(graphs.FLOAT, ("N", 2, 3), ("N", 2, 3)), _sequences, Hints()
    ),
    "onnx-classes": _trained("logistic", Hints(trained.names(4), ("one", "two", "three"))),
    "onnx-mixed": _trained("mixed", Hints()),
    "onnx-network": _trained("network", Hints(trained.names(4))),
    "tensorflow-network": FormatCase(
        "tensorflow", tensorflow.perceptron, _numbers, Hints(("a", "b"))
    ),
    "tensorflow-saved": FormatCase(
        "tensorflow-saved",
        lambda: tensorflow_answers.saved_models()["columns"].model,
        _whole_and_not,
        Hints(),
    ),
    "pipeline": FormatCase("pipeline", _pipeline, _people, Hints()),
    "remote-oip": FormatCase(
        "remote",
        lambda: fetch_artifact(_server().oip, _allowed()),
        _positive,
        Hints(("a", "b")),
        _allowed,
    ),
    "remote-tf-serving": FormatCase(
        "remote",
        lambda: fetch_artifact(_server().tf_serving, _allowed()),
        _positive,
        Hints(("a", "b")),
        _allowed,
    ),
    "pmml-tree": FormatCase("pmml", lambda: _PMML_TREE, _people, Hints()),
    "pmml-line": FormatCase("pmml", lambda: _PMML_LINE, _numbers, Hints()),
    "pfa-line": FormatCase("pfa", lambda: _PFA_LINE, _numbers, Hints()),
    "pfa-trees": FormatCase("pfa", lambda: _PFA_TREES, _people, Hints()),
    "catboost-counts": _tree_library("catboost", "counts"),
    "lightgbm-classes": _tree_library("lightgbm", "multiclass"),
    "xgboost-texts": FormatCase(
        "xgboost", lambda: xgboost_models.kept("binary").model, xgboost_models.some_rows, Hints()
    ),
}
