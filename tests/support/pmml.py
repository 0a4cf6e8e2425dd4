"""PMML documents in few words, and what a model of one answers."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from modelstream.formats.base import Hints
from modelstream.formats.pmml import PmmlFormat
from modelstream.formats.pmml.model import PmmlModel
from modelstream.messages import Column, Scores

X = '<DataField name="x" optype="continuous" dataType="double"/>'
Y = '<DataField name="y" optype="continuous" dataType="double"/>'
C = '<DataField name="c" optype="categorical" dataType="string"/>'
KIND = (
    '<DataField name="kind" optype="categorical" dataType="string">'
    '<Value value="a"/><Value value="b"/></DataField>'
)


def document(body: str, fields: str = X + Y, transformations: str = "") -> bytes:
    """Return a PMML 4.4 document around a model."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<PMML version="4.4" xmlns="http://www.dmg.org/PMML-4_4"><Header/>'
        f"<DataDictionary>{fields}</DataDictionary>{transformations}{body}</PMML>"
    ).encode()


def schema(*names: str, target: str | None = None, extra: str = "") -> str:
    """Return a MiningSchema of active fields and a target."""
    fields = "".join(f'<MiningField name="{name}"/>' for name in names)
    if target is not None:
        fields += f'<MiningField name="{target}" usageType="target"/>'
    return f"<MiningSchema>{fields}{extra}</MiningSchema>"


def derived(expression: str, data_type: str = "double") -> str:
    """Return LocalTransformations with one field, `d`."""
    return (
        f'<LocalTransformations><DerivedField name="d" optype="continuous" dataType="{data_type}">'
        f"{expression}</DerivedField></LocalTransformations>"
    )


def regression(terms: str = "", inner: str = "", names: Sequence[str] = ("x",)) -> str:
    """Return a RegressionModel with an intercept of zero, without a target."""
    return (
        f'<RegressionModel functionName="regression">{schema(*names)}{inner}'
        f'<RegressionTable intercept="0">{terms}</RegressionTable></RegressionModel>'
    )


def lower(artifact: bytes) -> bytes:
    """Return the lowered form of a document."""
    return PmmlFormat().lower(artifact, Hints())


def load(artifact: bytes) -> PmmlModel:
    """Return the model of a document, by way of its lowered form."""
    return PmmlFormat().load(lower(artifact))


def column(values: Sequence[Any]) -> Column:
    """Return numbers as float64 with NaN for None, anything else as objects."""
    if all(value is None or isinstance(value, int | float) for value in values):
        return np.array([np.nan if value is None else value for value in values], np.float64)
    made = np.empty(len(values), dtype=object)
    made[:] = values
    return made


def score(artifact: bytes, **columns: Sequence[Any]) -> Scores:
    """Return the answers of a document's model."""
    return load(artifact).score({name: column(values) for name, values in columns.items()})


def plain(answers: Column) -> list[Any]:
    """Return a column as a list with None for what is missing."""
    return [
        None if isinstance(value, float) and isnan(value) else value for value in answers.tolist()
    ]


def evaluate(
    expression: str, fields: str = X + Y, transformations: str = "", **columns: Sequence[Any]
) -> Scores:
    """Return the answers of a model whose output `out` is an expression of any type."""
    return score(output_of(expression, fields, transformations, tuple(columns)), **columns)


def output_of(
    expression: str,
    fields: str = X + Y,
    transformations: str = "",
    names: Sequence[str] = ("x",),
) -> bytes:
    """Return a document whose output `out` is an expression."""
    output = f'<Output><OutputField name="out" feature="transformedValue">{expression}</OutputField></Output>'
    return document(regression(inner=output, names=names), fields, transformations)
