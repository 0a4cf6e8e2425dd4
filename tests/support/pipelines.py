"""Pipelines for tests: documents of steps, and the models that stand in them."""

import base64
import json
from typing import Any

import numpy as np

from modelstream.formats.base import Hints
from modelstream.formats.pipeline import PipelineFormat
from modelstream.formats.pipeline.model import PipelineModel
from modelstream.messages import Column, Columns, Scores
from tests.support.artifacts import adder
from tests.support.graphs import BOOL, FLOAT, INT64, STRING, model, node, to_bytes, value

TREE = """<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>
<DataDictionary><DataField name="age" optype="continuous" dataType="double"/>
<DataField name="town" optype="categorical" dataType="string"/>
<DataField name="answer" optype="categorical" dataType="string">
<Value value="no"/><Value value="yes"/></DataField></DataDictionary>
<TreeModel functionName="classification"><MiningSchema><MiningField name="age"/>
<MiningField name="town" missingValueReplacement="Bonn"/>
<MiningField name="answer" usageType="target"/></MiningSchema>
<Output><OutputField name="chance" optype="continuous" dataType="double" feature="probability"
value="yes"/></Output>
<Node id="0" score="no"><True/><ScoreDistribution value="no" recordCount="6"/>
<ScoreDistribution value="yes" recordCount="4"/>
<Node id="1" score="no"><SimplePredicate field="age" operator="lessThan" value="40"/>
<ScoreDistribution value="no" recordCount="5"/><ScoreDistribution value="yes" recordCount="1"/>
</Node><Node id="2" score="yes"><SimplePredicate field="age" operator="greaterOrEqual" value="40"/>
<ScoreDistribution value="no" recordCount="1"/><ScoreDistribution value="yes" recordCount="3"/>
</Node></Node></TreeModel></PMML>"""


def document(*steps: dict[str, Any], **more: Any) -> bytes:
    """Write a pipeline."""
    return json.dumps({"pipeline": 1, **more, "steps": list(steps)}).encode()


def inline(artifact: bytes | str, **options: Any) -> dict[str, Any]:
    """Write a step that is a model: text as it is, bytes in base64."""
    data = artifact if isinstance(artifact, str) else base64.b64encode(artifact).decode()
    kind = {"format": options.pop("format")} if "format" in options else {}
    return {"model": {"data": data, **kind}, **options}


def plus(amount: float, field: str = "x", **options: Any) -> dict[str, Any]:
    """Write a step that answers `score` = `field` + amount, in float32."""
    return inline(adder(amount, field), format="onnx", **options)


def truths() -> bytes:
    """Make a model: `big` = x > 0 as bool, `whole` as int64, `text` as string."""
    shape = ("N", 1)
    return to_bytes(
        model(
            [
                node("Cast", ["x"], ["big"], to=BOOL),
                node("Cast", ["x"], ["whole"], to=INT64),
                node("Cast", ["whole"], ["text"], to=STRING),
            ],
            [value("x", FLOAT, shape)],
            [value("big", BOOL, shape), value("whole", INT64, shape), value("text", STRING, shape)],
        )
    )


def loaded(*steps: dict[str, Any], **more: Any) -> PipelineModel:
    """Lower and load a pipeline."""
    chosen = PipelineFormat()
    return chosen.load(chosen.lower(document(*steps, **more), Hints()))


def scored(columns: dict[str, list[Any]], *steps: dict[str, Any], **more: Any) -> Scores:
    """Score columns that are given as lists."""
    return loaded(*steps, **more).score(as_columns(columns))


def as_columns(columns: dict[str, list[Any]]) -> Columns:
    """Lay lists out as records are: float64, bool, or objects where there is a text."""
    return {name: _column(values) for name, values in columns.items()}


def plain(scores: Scores) -> dict[str, list[Any]]:
    """Return scores as lists, a NaN as None."""
    return {name: [_plain(each) for each in column.tolist()] for name, column in scores.items()}


def _plain(each: Any) -> Any:
    return None if isinstance(each, float) and np.isnan(each) else each


def _column(values: list[Any]) -> Column:
    if any(isinstance(each, str) for each in values):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    if any(isinstance(each, bool) for each in values):
        return np.array(values, dtype=object if None in values else np.bool_)
    return np.array(values, dtype=np.float64)
