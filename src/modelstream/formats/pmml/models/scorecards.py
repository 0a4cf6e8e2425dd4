"""Compile Scorecard: a sum of partial scores, and the reason codes that rank below or above.

DMG 4.4, Scorecard. A characteristic without a true attribute leaves its row without a score. A
reason code stands for the points lost against the baselines, in sum where several characteristics
give it; one that lost none is no reason, and a rank beyond the last reason is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from modelstream.errors import InvalidModel, UnsupportedModel
from modelstream.formats.pmml.answers.prediction import Body, Prediction
from modelstream.formats.pmml.elements.fields import OutputField
from modelstream.formats.pmml.elements.scorecards import Attribute, Characteristic, Scorecard
from modelstream.formats.pmml.expressions.expressions import cast_compiled, compile_expression
from modelstream.formats.pmml.expressions.predicates import compile_predicate
from modelstream.formats.pmml.fields.batch import Batch, Cell
from modelstream.formats.pmml.fields.scope import Compiled, Scope
from modelstream.formats.pmml.fields.values import texts
from modelstream.messages import Column


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """What one characteristic gives: its addend, and the position of its attribute, -1: none."""

    score: Column
    attribute: Column


def compile_scorecard(model: Scorecard, scope: Scope) -> Body:
    """Return a Scorecard's rule. Raises InvalidModel or UnsupportedModel, naming what is wrong."""
    parts = model.characteristics.characteristics
    if not parts:
        raise InvalidModel("a Scorecard has no Characteristic")
    cells = scope.context.cells
    points = [cells.make(_characteristic(part, scope)) for part in parts]

    def answer(batch: Batch) -> Prediction:
        total = np.full(batch.rows, model.initial_score)
        for cell in points:
            total = total + batch.read(cell).score
        return Prediction(total)

    @cache  # a Scorecard that no output asks for reasons need not declare them
    def ranking() -> Cell[Column]:
        rank = _ranking(model)
        return cells.make(lambda batch: rank([batch.read(cell) for cell in points]))

    def reason_code(output: OutputField) -> Compiled:
        place, ranked = _place(output, model), ranking()

        def evaluate(batch: Batch) -> Column:
            codes = batch.read(ranked)
            column: Column = codes[place] if place < len(codes) else texts([None] * batch.rows)
            return column

        return Compiled("string", evaluate)

    return Body((), cells.make(answer), features={"reasonCode": reason_code})


def _characteristic(part: Characteristic, scope: Scope) -> Callable[[Batch], _Points]:
    """Return the score of the first attribute whose predicate is true."""
    tests = [compile_predicate(attribute.predicate, scope) for attribute in part.attributes]
    scores = [_partial_score(attribute, part, scope) for attribute in part.attributes]

    def compute(batch: Batch) -> _Points:
        chosen = np.full(batch.rows, -1, dtype=np.intp)
        points = np.full(batch.rows, np.nan)
        for number, (test, score) in enumerate(zip(tests, scores, strict=True)):
            here = (test(batch) == 1.0) & (chosen < 0)
            chosen[here] = number
            points[here] = score(batch, here)[here]
        return _Points(points, chosen)

    return compute


def _partial_score(
    attribute: Attribute, part: Characteristic, scope: Scope
) -> Callable[[Batch, Column], Column]:
    """Return the partial score of an attribute, for the rows of a mask at least."""
    if attribute.complex is None:
        constant = attribute.partial_score
        if constant is None:
            raise InvalidModel(f"an Attribute of Characteristic {part.name!r} has no partialScore")
        return lambda batch, _: np.full(batch.rows, constant)
    compiled = compile_expression(attribute.complex.expression, scope, "double")
    evaluate = cast_compiled(compiled, "double").evaluate
    return lambda batch, rows: evaluate(batch.only(rows))


def _place(output: OutputField, model: Scorecard) -> int:
    """Return which reason an output asks for, counted from zero."""
    if not model.use_reason_codes:
        raise UnsupportedModel(
            f"OutputField {output.name!r}: the Scorecard says useReasonCodes='false', so it has "
            "no reason codes"
        )
    rank = 1 if output.rank is None else output.rank
    if rank < 1:
        raise InvalidModel(f"OutputField {output.name!r}: rank {rank} is not 1 or more")
    return rank - 1


def _ranking(model: Scorecard) -> Callable[[list[_Points]], Column]:
    """Return what ranks the reason codes of each row: a row a rank, a column a row, None: none.

    Of codes with as many points the one that stands first in the document comes first.
    """
    parts = model.characteristics.characteristics
    declared = [[_reason(part, attribute) for attribute in part.attributes] for part in parts]
    order = [c for p in parts for c in (p.reason_code, *(a.reason_code for a in p.attributes)) if c]
    codes = tuple(dict.fromkeys(order))
    numbers = [np.array([codes.index(c) for c in reasons], np.intp) for reasons in declared]
    baselines = [_baseline(part, model) for part in parts]
    sign = 1.0 if model.reason_code_algorithm == "pointsBelow" else -1.0
    names = texts([*codes, None])

    def rank(points: list[_Points]) -> Column:
        rows = np.arange(len(points[0].score))
        lost = np.zeros((len(rows), len(codes)))
        for part, number, baseline in zip(points, numbers, baselines, strict=True):
            lost[rows, number[part.attribute]] += sign * (baseline - part.score)
        best = np.argsort(-lost, axis=1, kind="stable")
        reasons = np.take_along_axis(lost, best, axis=1) > 0
        reasons[np.isnan(lost).any(axis=1)] = False
        ranked: Column = names[np.where(reasons, best, len(codes))].T
        return ranked

    return rank


def _reason(part: Characteristic, attribute: Attribute) -> str:
    code = attribute.reason_code or part.reason_code
    if code is None:
        raise InvalidModel(f"an Attribute of Characteristic {part.name!r} has no reasonCode")
    return code


def _baseline(part: Characteristic, model: Scorecard) -> float:
    baseline = model.baseline_score if part.baseline_score is None else part.baseline_score
    if baseline is None:
        raise InvalidModel(
            f"Characteristic {part.name!r} has no baselineScore, which reason codes need; give it "
            "one, or the Scorecard"
        )
    return baseline
